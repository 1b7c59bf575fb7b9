import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  sendUnaryData,
  ServerReadableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PackagingError, RemoteError, SerializationError } from "../../core/errors.ts";
import {
  BundleService,
  FindMissingRequestSchema,
  FindMissingResponseSchema,
  UploadRequestSchema,
  UploadResponseSchema,
} from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { failedCall } from "./failed_call.ts";
import type { UnaryCall } from "./call.ts";
import { definitionOf } from "./definition.ts";
import type { Access } from "./access.ts";
import type { UserCode } from "./user_code.ts";
import { status } from "../wire/grpc_status.ts";

/** The most digests of one question. */
const MAX_DIGESTS = 1_000;
/** The most uploads at once, as each holds one bundle in memory; others wait, which their streams hold back. */
const MAX_UPLOADS = 8;
/** How long an upload may take beside what its bytes need, in ms, and how many of them must come in one. */
const STALL_MS = 10_000;
const BYTES_PER_MS = 32;

type UploadCall = ServerReadableStream<Uint8Array, Uint8Array>;
type Reply = sendUnaryData<Uint8Array>;

/** The RPCs of `BundleService`, for grpc-js. */
export const bundleService: ServiceDefinition = definitionOf(BundleService);

/** One handler an RPC. */
export function bundleHandlers(
  userCode: UserCode,
  access: Access,
): UntypedServiceImplementation {
  const turns = new Turns(MAX_UPLOADS);
  return {
    findMissing: (call: UnaryCall, reply: Reply) => void findMissing(call, reply, userCode),
    upload: (call: UploadCall, reply: Reply) => {
      try {
        userCode.policyOf(access.callerOf(call.metadata));
      } catch (error) {
        reply(failedCall(error));
        call.resume();
        return;
      }
      void turns.next().then(async () => {
        await upload(call, reply, userCode);
        turns.done();
      });
    },
  };
}

/** Lets so many work at once; the others come in their turn. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever had a turn is done. */
  done(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

async function findMissing(call: UnaryCall, reply: Reply, userCode: UserCode): Promise<void> {
  try {
    const { digests } = fromBinary(FindMissingRequestSchema, call.request);
    if (digests.length > MAX_DIGESTS) {
      throw new SerializationError(`Cannot look for more than ${MAX_DIGESTS} bundles at once`);
    }
    const missing = await userCode.missing(digests);
    const response = create(FindMissingResponseSchema, { digests: missing });
    reply(null, toBinary(FindMissingResponseSchema, response));
  } catch (error) {
    reply(failedCall(error));
  }
}

async function upload(call: UploadCall, reply: Reply, userCode: UserCode): Promise<void> {
  try {
    const { digest, bytes } = await receive(call, userCode.bundleBytes);
    await userCode.put(bytes, digest);
    reply(null, toBinary(UploadResponseSchema, create(UploadResponseSchema, { digest })));
  } catch (error) {
    reply(failedCall(error));
    call.resume(); // what still comes is read and thrown away
  }
}

/** What comes within so many ms. @throws {RemoteError} DEADLINE_EXCEEDED, if it does not */
async function inTime<T>(coming: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = "The server ended the upload as its bytes come too slowly";
    reject(new RemoteError(message, { code: status.DEADLINE_EXCEEDED }));
  }, ms);
  coming.catch(() => {}); // told to whoever still waits for it
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The parts, put together into as many bytes as the first one announced. */
async function receive(
  call: UploadCall,
  maxBytes: number,
): Promise<{ digest: string; bytes: Uint8Array<ArrayBuffer> }> {
  let digest = "";
  let whole: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  const parts: AsyncIterator<unknown> = call[Symbol.asyncIterator]();
  const startedAt = performance.now();
  while (true) {
    const lateMs = startedAt + STALL_MS + filled / BYTES_PER_MS - performance.now();
    const { done, value: part } = await inTime(parts.next(), lateMs);
    if (done) break;
    const { digest: named, size, data } = fromBinary(UploadRequestSchema, part as Uint8Array);
    if (whole === undefined) {
      if (size > BigInt(maxBytes)) {
        throw new PackagingError(
          `Cannot accept bundle as it is over the limit of ${maxBytes} bytes: it has ${size}`,
        );
      }
      digest = named;
      whole = new Uint8Array(Number(size));
    }
    if (data.length > whole.length - filled) {
      throw new PackagingError("Cannot accept bundle as it has more bytes than it said");
    }
    whole.set(data, filled);
    filled += data.length;
  }
  if (whole === undefined || filled !== whole.length) {
    throw new PackagingError("Cannot accept bundle as it has fewer bytes than it said");
  }
  return { digest, bytes: whole };
}

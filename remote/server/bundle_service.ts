import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  sendUnaryData,
  ServerReadableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PackagingError, SerializationError } from "../../core/errors.ts";
import {
  BundleService,
  FindMissingRequestSchema,
  FindMissingResponseSchema,
  UploadRequestSchema,
  UploadResponseSchema,
} from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { statusOf } from "../wire/errors.ts";
import type { UnaryCall } from "./call.ts";
import { definitionOf } from "./definition.ts";
import type { Access } from "./access.ts";
import type { UserCode } from "./user_code.ts";

/** The most digests of one question. */
const MAX_DIGESTS = 1_000;
/** The most uploads at once: each holds one bundle in memory. */
const MAX_UPLOADS = 8;

type UploadCall = ServerReadableStream<Uint8Array, Uint8Array>;
type Reply = sendUnaryData<Uint8Array>;

/** The RPCs of `BundleService`, for grpc-js. */
export const bundleService: ServiceDefinition = definitionOf(BundleService);

/** One handler an RPC. */
export function bundleHandlers(
  userCode: UserCode,
  access: Access,
): UntypedServiceImplementation {
  let uploads = 0;
  return {
    findMissing: (call: UnaryCall, reply: Reply) => void findMissing(call, reply, userCode),
    upload: (call: UploadCall, reply: Reply) => {
      try {
        userCode.policyOf(access.callerOf(call.metadata));
      } catch (error) {
        reply(statusOf(error));
        call.resume();
        return;
      }
      if (uploads >= MAX_UPLOADS) {
        reply(statusOf(new PackagingError(`Cannot take more than ${MAX_UPLOADS} uploads at once`)));
        call.resume();
        return;
      }
      uploads++;
      void upload(call, reply, userCode).finally(() => uploads--);
    },
  };
}

async function findMissing(call: UnaryCall, reply: Reply, { store }: UserCode): Promise<void> {
  try {
    const { digests } = fromBinary(FindMissingRequestSchema, call.request);
    if (digests.length > MAX_DIGESTS) {
      throw new SerializationError(`Cannot look for more than ${MAX_DIGESTS} bundles at once`);
    }
    const missing = await store.missing(digests);
    const response = create(FindMissingResponseSchema, { digests: missing });
    reply(null, toBinary(FindMissingResponseSchema, response));
  } catch (error) {
    reply(statusOf(error));
  }
}

async function upload(call: UploadCall, reply: Reply, userCode: UserCode): Promise<void> {
  try {
    const { digest, bytes } = await receive(call, userCode.bundleBytes);
    await userCode.put(bytes, digest);
    reply(null, toBinary(UploadResponseSchema, create(UploadResponseSchema, { digest })));
  } catch (error) {
    reply(statusOf(error));
    call.resume(); // what still comes is read and thrown away
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
  for await (const part of call) {
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

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Client, Metadata } from "@grpc/grpc-js";
import { RemoteError } from "../../core/errors.ts";
import type { NodeSpec } from "../../core/executor.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import { createBundle, type CreateBundleOptions } from "../../packaging/create_bundle.ts";
import {
  BundleService,
  FindMissingRequestSchema,
  FindMissingResponseSchema,
  UploadRequestSchema,
} from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { errorOf, type FailedCall } from "../wire/errors.ts";
import { BUNDLE } from "../wire/messages.ts";

/** The bytes of one part of an upload. */
const PART = 1 << 20;

/** A server, as calls of its services need it. */
export interface Callable {
  /** What to call it in errors. */
  readonly where: string;
  /** The client, and what goes along with each call. */
  calls(): { client: Client; metadata: Metadata };
}

/**
 * Packages user code and brings it to servers, each bundle only where it is missing.
 */
export class BundleUploads {
  readonly #options: CreateBundleOptions;

  /** @param options how code is packaged */
  constructor(options: CreateBundleOptions = {}) {
    this.#options = options;
  }

  /**
   * Packages a module, without uploading it.
   *
   * @throws {PackagingError} if it cannot travel
   */
  package(module: string): Promise<Bundle> {
    return createBundle(module, this.#options);
  }

  /**
   * Packages the modules of nodes that are user code, and puts the bundles' names in their places.
   *
   * @param specs the nodes; those whose module was packaged before are left as they are
   * @returns the new bundles
   * @throws {PackagingError} if one cannot travel
   */
  async packageNodes(specs: readonly NodeSpec[]): Promise<Bundle[]> {
    const bundles: Bundle[] = [];
    for (const spec of specs) {
      if (spec.module === undefined || spec.module.startsWith(BUNDLE)) continue;
      const bundle = await this.package(spec.module);
      spec.module = BUNDLE + bundle.digest;
      bundles.push(bundle);
    }
    return bundles;
  }

  /**
   * Makes sure that a server has bundles: asks each time, as it may have been restarted.
   *
   * @throws {RemoteError} if the server cannot be reached or takes no user code
   * @throws {PackagingError} if the server refuses the bundle
   */
  async bring(bundles: readonly Bundle[], server: Callable): Promise<void> {
    if (bundles.length === 0) return;
    const byDigest = new Map(bundles.map((bundle) => [bundle.digest, bundle]));
    for (const digest of await findMissing(server, [...byDigest.keys()])) {
      const bundle = byDigest.get(digest);
      if (bundle !== undefined) await upload(server, bundle);
    }
  }
}

async function findMissing(server: Callable, digests: string[]): Promise<string[]> {
  const { client, metadata } = server.calls();
  const request = toBinary(FindMissingRequestSchema, create(FindMissingRequestSchema, { digests }));
  const response = await new Promise<Uint8Array>((resolve, reject) => {
    const done = settle({ resolve, reject }, server);
    client.makeUnaryRequest(pathOf("findMissing"), toBuffer, same, request, metadata, done);
  });
  return fromBinary(FindMissingResponseSchema, response).digests;
}

async function upload(server: Callable, { digest, bytes }: Bundle): Promise<void> {
  const { client, metadata } = server.calls();
  await new Promise<Uint8Array>((resolve, reject) => {
    const done = settle({ resolve, reject }, server);
    const call = client.makeClientStreamRequest(pathOf("upload"), toBuffer, same, metadata, done);
    void send();

    async function send(): Promise<void> {
      for (let at = 0; at < bytes.length; at += PART) {
        const first = at === 0 ? { digest, size: BigInt(bytes.length) } : {};
        const data = bytes.subarray(at, at + PART);
        const part = create(UploadRequestSchema, { ...first, data });
        if (!call.write(toBinary(UploadRequestSchema, part)) && !call.destroyed) await drained();
      }
      call.end();
    }

    function drained(): Promise<void> {
      return new Promise((go) => {
        call.once("drain", go);
        call.once("close", go); // the server has answered already
      });
    }
  });
}

function settle<T>(
  { resolve, reject }: { resolve(value: T): void; reject(error: Error): void },
  { where }: Callable,
): (failure: FailedCall | null, value?: T) => void {
  return (failure, value) => {
    if (failure !== null) reject(errorOf(failure, where));
    else if (value !== undefined) resolve(value);
    else reject(new RemoteError(`The server at ${where} gave no answer`, { code: 13 }));
  };
}

function pathOf(method: keyof typeof BundleService.method): string {
  return `/${BundleService.typeName}/${BundleService.method[method].name}`;
}

/** Bytes as grpc-js wants them, not copied. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes as they came. */
export function same(bytes: Buffer): Uint8Array {
  return bytes;
}

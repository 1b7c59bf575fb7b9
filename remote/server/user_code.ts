import { ConfigurationError, messageOf, PackagingError, RemoteError } from "../../core/errors.ts";
import type { Executor, NodeSpec } from "../../core/executor.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import { BundleStore } from "../../packaging/bundle_store.ts";
import { openBundle } from "../../packaging/open_bundle.ts";
import { assertVersions } from "../../packaging/versions.ts";
import { narrowedPolicy, SandboxHost, type SandboxPolicy } from "../sandbox/host/sandbox_host.ts";
import { makeOwnFolder } from "../sandbox/host/own_folder.ts";
import type { SandboxPoolOptions } from "../sandbox/host/sandbox_pool.ts";
import type { CodePlace } from "../../nodes/code/code_place.ts";
import type { Caller } from "./access.ts";
import { BUNDLE } from "../wire/messages.ts";

/** What a server does with user code. */
export interface UserCodeOptions extends SandboxPolicy, SandboxPoolOptions {
  /** Where bundles are kept. @default a temporary folder, removed at the end */
  bundleDirectory?: string;
  /** The most bytes that they have together. @default 1 GiB */
  storeBytes?: number;
  /** The most bytes that one may have. @default 64 MiB */
  bundleBytes?: number;
}

/** gRPC's PERMISSION_DENIED and FAILED_PRECONDITION. */
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;
/** How many opened bundles are kept at hand. */
const MAX_OPENED = 32;

/** Gives bundles that are kept elsewhere. */
export type KeptBundles = (digest: string) => Uint8Array<ArrayBuffer> | undefined;

/** The user code of a server: bundles that were uploaded, and the sandboxes that they run in. */
export class UserCode implements AsyncDisposable {
  /** What user code may do. */
  readonly policy: SandboxPolicy;
  /** The most bytes that a bundle may have. */
  readonly bundleBytes: number;
  /** The uploaded bundles. */
  readonly store: BundleStore;
  /** The sandboxes. */
  readonly sandboxes: SandboxHost;
  /** Opened bundles; the one used last is the last. */
  readonly #opened = new Map<string, Promise<Bundle>>();
  readonly #temporary: string | undefined;
  readonly #kept: KeptBundles;

  private constructor(
    store: BundleStore,
    options: UserCodeOptions,
    { temporary, kept }: { temporary: string | undefined; kept: KeptBundles },
  ) {
    const { limits, permissions, isolation, bundleBytes = 64 * 2 ** 20, ...pool } = options;
    this.store = store;
    this.policy = { limits, permissions, isolation };
    this.bundleBytes = bundleBytes;
    this.sandboxes = new SandboxHost(pool);
    this.#temporary = temporary;
    this.#kept = kept;
  }

  /**
   * Opens the store, and starts the first process that waits for work.
   *
   * @param options what is allowed; @param kept where else bundles are that the store no longer has
   * @throws {ConfigurationError} if the store's folder cannot be had
   */
  static async start(
    options: UserCodeOptions = {},
    kept: KeptBundles = () => undefined,
  ): Promise<UserCode> {
    const { bundleDirectory, storeBytes, ...rest } = options;
    const temporary = bundleDirectory === undefined ? makeOwnFolder("bundles") : undefined;
    const store = await openStore(bundleDirectory ?? temporary!, storeBytes);
    return new UserCode(store, rest, { temporary, kept });
  }

  /**
   * What a caller's code may do: no more than the server allows all, and the caller's token.
   *
   * @throws {RemoteError} PERMISSION_DENIED, if it may bring no code
   */
  policyOf({ name, policy: { userCode } }: Caller): SandboxPolicy {
    if (userCode === false) {
      throw new RemoteError(`Cannot run code of "${name}" as it may bring none`, {
        code: PERMISSION_DENIED,
      });
    }
    return userCode === undefined ? this.policy : narrowedPolicy(this.policy, userCode);
  }

  /**
   * Where the nodes of one session run whose code was uploaded.
   * @throws {RemoteError} PERMISSION_DENIED, if the caller may bring no code
   */
  executor(caller: Caller): Executor {
    const options = { policy: this.policyOf(caller), onCpu: caller.onCpu };
    return {
      name: "sandbox",
      open: (nodes) => this.sandboxes.open(nodes, (spec) => this.#bundleOf(spec), options),
    };
  }

  /**
   * Where nodes load what they run as code for a caller: never more than the caller's own code may do.
   *
   * @throws {RemoteError} PERMISSION_DENIED, if the caller may bring no code
   */
  code(caller: Caller): CodePlace {
    const wide = this.policyOf(caller);
    return {
      load: (bundle, { policy, language }) => {
        const options = { policy: narrowedPolicy(wide, policy), language, onCpu: caller.onCpu };
        return this.sandboxes.load(bundle, options);
      },
    };
  }

  /**
   * Stores a bundle that a client uploaded, if it is one.
   *
   * @throws {PackagingError | SerializationError} if it is none, or not what its digest or manifest says
   */
  async put(bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<void> {
    const bundle = await openBundle(bytes, { digest, maxBytes: this.bundleBytes });
    assertVersions(bundle.manifest);
    await this.store.put(bytes, digest);
    this.#remember(digest, Promise.resolve(bundle));
  }

  /**
   * Those digests of which there is no bundle that can be used. The others are opened, as they are about to be needed:
   * one that has come to harm on the disk counts as missing.
   *
   * @throws {TypeError} if one is no digest
   */
  async missing(digests: readonly string[]): Promise<string[]> {
    const missing = new Set(await this.store.missing(digests));
    const stored = digests.filter((digest) => !missing.has(digest));
    for (const digest of stored.slice(0, MAX_OPENED)) {
      await this.bundle(digest).catch(() => missing.add(digest)); // once uploaded, the error is told
    }
    return digests.filter((digest) => missing.has(digest));
  }

  /**
   * A bundle that was uploaded.
   *
   * @throws {RemoteError} if it was not, or is no longer kept
   */
  bundle(digest: string): Promise<Bundle> {
    const opened = this.#opened.get(digest) ?? this.#open(digest);
    this.#remember(digest, opened);
    return opened;
  }

  /** Ends all sandboxes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandboxes[Symbol.asyncDispose]();
    if (this.#temporary !== undefined) await Deno.remove(this.#temporary, { recursive: true });
  }

  #bundleOf({ name, module }: NodeSpec): Promise<Bundle> {
    if (module?.startsWith(BUNDLE)) return this.bundle(module.slice(BUNDLE.length));
    throw new PackagingError(`Cannot run node "${name}" as its code was not uploaded`);
  }

  /**
   * The bytes of a bundle that was uploaded.
   *
   * @throws {RemoteError} if it was not, or is no longer kept
   */
  async bytesOf(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.store.get(digest) ?? this.#kept(digest);
    if (bytes === undefined) {
      throw new RemoteError(`The server has no bundle ${digest}: upload it`, {
        code: FAILED_PRECONDITION,
        retryable: true,
      });
    }
    return bytes;
  }

  async #open(digest: string): Promise<Bundle> {
    return await openBundle(await this.bytesOf(digest), { digest, maxBytes: this.bundleBytes });
  }

  #remember(digest: string, opened: Promise<Bundle>): void {
    this.#opened.delete(digest);
    this.#opened.set(digest, opened);
    opened.catch(() => this.#opened.delete(digest)); // whoever asked for it is told
    for (const oldest of this.#opened.keys()) {
      if (this.#opened.size <= MAX_OPENED) break;
      this.#opened.delete(oldest);
    }
  }
}

async function openStore(directory: string, maxBytes: number | undefined): Promise<BundleStore> {
  try {
    return await BundleStore.open(directory, { maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new ConfigurationError(`Cannot keep bundles in ${directory}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

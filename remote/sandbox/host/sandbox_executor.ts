import { PipelineError } from "../../../core/errors.ts";
import type { Executor, NodeSpec, Segment } from "../../../core/executor.ts";
import type { Bundle } from "../../../packaging/bundle.ts";
import { createBundle, type CreateBundleOptions } from "../../../packaging/create_bundle.ts";
import { CallbackTable } from "../../objects/object_channel.ts";
import { type RemoteModule, remoteModule } from "../../objects/remote_module.ts";
import { completeLimits } from "../limits.ts";
import { completePermissions } from "../permissions.ts";
import { SandboxHost, type SandboxPolicy } from "./sandbox_host.ts";
import type { SandboxPoolOptions } from "./sandbox_pool.ts";

/** Options of a {@linkcode SandboxExecutor}. */
export interface SandboxExecutorOptions extends SandboxPolicy, SandboxPoolOptions {
  /** What it is called in errors and pictures. @default "sandbox" */
  name?: string;
  /** How user code is packaged. @default as `createBundle` does */
  bundle?: Omit<CreateBundleOptions, "permissions" | "signal">;
}

/**
 * Runs nodes whose code is not trusted in killable processes of this machine, without a server. The code
 * may reach nothing but what `permissions` names, and use no more than `limits` says.
 *
 * A node's class must be exported by its module and say where that is: `static readonly module =
 * import.meta.url`. Neighbours from one module share a process; a process is ended with its segment.
 *
 * @example
 * ```ts ignore
 * import { Node, Pipeline, SandboxExecutor } from "@remotemedia/sdk";
 *
 * export class Double extends Node<number, number> {
 *   static override readonly module = import.meta.url;
 *   process(input: number): number {
 *     return 2 * input;
 *   }
 * }
 *
 * if (import.meta.main) {
 *   await using executor = new SandboxExecutor({ limits: { memoryBytes: 64_000_000 } });
 *   const pipeline = new Pipeline([new Double({}, { executor })]);
 *   console.log(await Array.fromAsync(pipeline.run([1, 2]))); // [2, 4]
 * }
 * ```
 */
export class SandboxExecutor implements Executor, AsyncDisposable {
  /** What it is called in errors and pictures. */
  readonly name: string;
  readonly #host: SandboxHost;
  readonly #policy: SandboxPolicy;
  readonly #bundle: CreateBundleOptions;

  /**
   * Starts a process that waits for work.
   *
   * @param options what code may do, and how many processes wait for it
   * @throws {RangeError} if a limit is not above 0
   * @throws {ConfigurationError} if a permission is none
   */
  constructor(options: SandboxExecutorOptions = {}) {
    const { name = "sandbox", bundle = {}, limits, permissions, isolation, ...pool } = options;
    completeLimits(limits);
    this.name = name;
    this.#policy = { limits, permissions, isolation };
    this.#bundle = { ...bundle, permissions: completePermissions(permissions) };
    this.#host = new SandboxHost(pool);
  }

  /** Starts processes before they are needed. Resolves when they wait. */
  async warmUp(): Promise<void> {
    await this.#host.warmUp(this.#policy, this.#bundle.permissions);
  }

  /**
   * Starts nodes as one segment; see `Executor.open`.
   *
   * @throws {PipelineError} if a node's class does not say where its module is
   */
  open(nodes: readonly NodeSpec[]): Segment {
    for (const { name, type, module } of nodes) {
      if (module === undefined) {
        throw new PipelineError(
          `Cannot run node "${name}" in ${this.name} as ${type} has no static module = import.meta.url`,
        );
      }
    }
    return this.#host.open(nodes, ({ module }) => this.#package(module!), { policy: this.#policy });
  }

  /**
   * Loads a module into a sandbox of its own: its functions, classes and objects are used from here.
   *
   * @typeParam T the module: `typeof import("./m.ts")`
   * @param module where it is
   * @returns the module; disposing it ends its sandbox
   * @throws {PackagingError} if it cannot be packaged
   * @throws {SandboxError} if it passes a limit while it loads; and whatever it throws
   */
  async import<T>(module: string | URL): Promise<RemoteModule<T>> {
    const callbacks = new CallbackTable();
    const bundle = await this.#package(String(module));
    const options = { policy: this.#policy, callBack: callbacks.call };
    const sandbox = await this.#host.load(bundle, options);
    return remoteModule<T>({
      operate: (operation) => sandbox.operate(operation),
      close: () => sandbox[Symbol.asyncDispose](),
    }, callbacks);
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }

  #package(module: string): Promise<Bundle> {
    return createBundle(module, this.#bundle);
  }
}

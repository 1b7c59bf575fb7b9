import { z } from "zod";
import { encodeValue } from "../../core/codec/mod.ts";
import { cannot, ConfigurationError } from "../../core/errors.ts";
import { Node } from "../../core/node.ts";
import { placeOf, type Sandbox } from "./code_place.ts";

const schema = z.strictObject({
  bundles: z.int().min(1).max(64).default(4).describe("Bundles of which a sandbox is kept"),
  memoryBytes: z.int().min(2 ** 24).default(2 ** 28).describe("Memory of each, in bytes"),
  timeoutMs: z.number().positive().default(10_000).describe("Time for one call, in ms"),
});

/** Options of a {@linkcode SerializedClassExecutorNode}. */
export interface SerializedClassExecutorOptions {
  /** Bundles of which a sandbox is kept; the one used longest ago is given up. @default 4 */
  bundles: number;
  /** Memory of each, in bytes. @default 256 MiB */
  memoryBytes: number;
  /** Time for one call, in ms. @default 10000 */
  timeoutMs: number;
}

/** An instance of a packaged class, and what to do with it. */
export interface SerializedCall {
  /** The bundle that exports the class: `(await createBundle(url)).bytes`. */
  bundle: Uint8Array;
  /** The name under which it exports the class. */
  export: string;
  /** The instance's state: its fields, or what the class' static `restore(state)` takes. */
  state: unknown;
  /** The method to call. */
  method: string;
  /** Its arguments. @default [] */
  args?: readonly unknown[];
}

/** What a {@linkcode SerializedCall} gave. */
export interface SerializedResult {
  /** What the method gave. */
  result: unknown;
  /** The instance's state after it: its fields, or what its `snapshot()` gives. */
  state: unknown;
}

/**
 * Calls methods of instances that come along with each chunk: a bundle, the name of a class in it, and the
 * instance's state. It runs in a sandbox without any rights, here as on a server.
 *
 * An instance is made without its constructor, of its fields; a class with private fields has a static
 * `restore(state)` and a method `snapshot()` instead.
 *
 * @example
 * ```ts
 * import { Pipeline, SerializedClassExecutorNode } from "@remotemedia/sdk";
 * import { createBundle } from "@remotemedia/sdk/packaging";
 *
 * const directory = await Deno.makeTempDir();
 * const source = "export class Counter { value = 0; add(by) { return this.value += by; } }";
 * await Deno.writeTextFile(`${directory}/counter.js`, source);
 * const { bytes } = await createBundle(`file://${directory}/counter.js`, { check: false });
 * const call = { bundle: bytes, export: "Counter", state: { value: 10 }, method: "add", args: [5] };
 * const pipeline = new Pipeline([new SerializedClassExecutorNode()]);
 * console.log(await Array.fromAsync(pipeline.run([call]))); // [{ result: 15, state: { value: 15 } }]
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class SerializedClassExecutorNode extends Node<
  SerializedCall,
  SerializedResult,
  SerializedClassExecutorOptions
> {
  /** Checks and completes the options. */
  static override readonly options: z.ZodType<SerializedClassExecutorOptions> = schema;
  /** Runs foreign code, if in a sandbox: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["code"];
  /** Sandboxes by digest; the one used last is the last. */
  readonly #sandboxes = new Map<string, Promise<Sandbox>>();

  /**
   * Calls one method.
   *
   * @throws {TypeError} if the chunk is no {@linkcode SerializedCall}
   * @throws {PackagingError | SerializationError} if its bundle is none
   * @throws {SandboxError} if the call takes too long or too much; and whatever it throws
   */
  async process(call: SerializedCall): Promise<SerializedResult> {
    check(call);
    const { state, method, args = [], export: name } = call;
    const packed = encodeValue({ state, args });
    const sandbox = await this.#sandboxOf(call.bundle);
    if (!sandbox.exports.includes(name)) {
      throw new ConfigurationError(
        `Cannot call ${name}.${method} as the bundle exports ${sandbox.exports.join(", ")}`,
      );
    }
    const { timeoutMs } = this.options;
    const timer = setTimeout(() => sandbox.abandon(`ran for ${timeoutMs} ms`), timeoutMs);
    try {
      const outcome = await sandbox.operate({
        kind: "invoke",
        target: 0,
        path: [name, method],
        packed,
      });
      const { valueOf } = await import("../../remote/objects/object_channel.ts");
      return valueOf(outcome) as SerializedResult;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the sandboxes. */
  override async close(): Promise<void> {
    const loaded = await Promise.allSettled(this.#sandboxes.values());
    this.#sandboxes.clear();
    for (const { status, ...rest } of loaded) {
      if (status === "fulfilled") await (rest as { value: Sandbox }).value[Symbol.asyncDispose]();
    }
  }

  async #sandboxOf(bytes: Uint8Array): Promise<Sandbox> {
    const { sha256Hex } = await import("../../packaging/bundle.ts");
    const digest = await sha256Hex(bytes);
    const sandbox = this.#sandboxes.get(digest) ?? this.#load(bytes, digest);
    this.#sandboxes.delete(digest);
    this.#sandboxes.set(digest, sandbox);
    sandbox.catch(() => this.#sandboxes.delete(digest)); // whoever asked for it is told
    for (const [oldest, loaded] of this.#sandboxes) {
      if (this.#sandboxes.size <= this.options.bundles) break;
      this.#sandboxes.delete(oldest);
      await (await loaded)[Symbol.asyncDispose]();
    }
    return await sandbox;
  }

  async #load(bytes: Uint8Array, digest: string): Promise<Sandbox> {
    const { openBundle } = await import("../../packaging/open_bundle.ts");
    const bundle = await openBundle(bytes as Uint8Array<ArrayBuffer>, { digest });
    const { memoryBytes } = this.options;
    const policy = { limits: { memoryBytes, idleMs: Infinity, wallMs: Infinity } };
    const sandbox = await (await placeOf(this)).load(bundle, { policy });
    sandbox.onEnd(() => this.#sandboxes.delete(digest));
    return sandbox;
  }
}

function check(call: SerializedCall): void {
  const action = "run SerializedClassExecutorNode";
  const { bundle, export: name, method, args = [] } = call ?? {};
  if (!(bundle instanceof Uint8Array)) {
    throw new TypeError(cannot(action, { rule: "bundle must be a Uint8Array", value: bundle }));
  }
  for (const [field, value] of Object.entries({ export: name, method })) {
    if (typeof value !== "string" || value === "") {
      throw new TypeError(cannot(action, { rule: `${field} must be a name`, value }));
    }
  }
  if (!Array.isArray(args)) {
    throw new TypeError(cannot(action, { rule: "args must be a list", value: args }));
  }
}

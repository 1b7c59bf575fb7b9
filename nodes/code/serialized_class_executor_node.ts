import { z } from "zod";
import { encodeValue } from "../../core/codec/mod.ts";
import { cannot, ConfigurationError } from "../../core/errors.ts";
import { Node } from "../../core/node.ts";
import { endless, MAX_TIMEOUT_MS, placeOf, type Sandbox } from "./code_place.ts";

const schema = z.strictObject({
  bundles: z.int().min(1).max(64).default(4).describe("Bundles of which a sandbox is kept"),
  memoryBytes: z.int().min(2 ** 24).default(2 ** 28).describe("Memory of each, in bytes"),
  timeoutMs: z.number().positive().max(MAX_TIMEOUT_MS).default(10_000)
    .describe("Time for one call, in ms"),
});

/** Options of a {@linkcode SerializedClassExecutorNode}. */
export interface SerializedClassExecutorOptions {
  /** Bundles of which a sandbox is kept; of those that do nothing, the one used longest ago is given up. @default 4 */
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
  readonly #sandboxes = new Map<string, Kept>();

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
    return await this.#with(call.bundle, async (sandbox) => {
      if (!sandbox.exports.includes(name)) {
        throw new ConfigurationError(
          `Cannot call ${name}.${method} as the bundle exports ${sandbox.exports.join(", ")}`,
        );
      }
      return await this.#invoke(sandbox, { path: [name, method], packed });
    });
  }

  /** Ends the sandboxes. */
  override async close(): Promise<void> {
    const kept = [...this.#sandboxes.values()];
    this.#sandboxes.clear();
    await Promise.all(kept.map(giveUp));
  }

  async #invoke(
    sandbox: Sandbox,
    call: { path: string[]; packed: Uint8Array },
  ): Promise<SerializedResult> {
    const { timeoutMs } = this.options;
    const timer = setTimeout(() => sandbox.abandon(`ran for ${timeoutMs} ms`), timeoutMs);
    try {
      const outcome = await sandbox.operate({ kind: "invoke", target: 0, ...call });
      const { valueOf } = await import("../../remote/objects/object_channel.ts");
      return valueOf(outcome) as SerializedResult;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Uses the sandbox of a bundle, which is not given up meanwhile. */
  async #with<T>(bytes: Uint8Array, use: (sandbox: Sandbox) => Promise<T>): Promise<T> {
    const { sha256Hex } = await import("../../packaging/bundle.ts");
    const digest = await sha256Hex(bytes);
    const kept = this.#sandboxes.get(digest) ?? this.#keep(bytes, digest);
    this.#sandboxes.delete(digest);
    this.#sandboxes.set(digest, kept);
    kept.calls++;
    try {
      await this.#trim();
      return await use(await kept.loaded);
    } finally {
      kept.calls--;
      await this.#trim();
    }
  }

  #keep(bytes: Uint8Array, digest: string): Kept {
    const kept: Kept = { loaded: this.#load(bytes, digest), calls: 0 };
    const forget = () => {
      if (this.#sandboxes.get(digest) === kept) this.#sandboxes.delete(digest);
    };
    kept.loaded.then((sandbox) => sandbox.onEnd(forget), forget);
    return kept;
  }

  /** Gives up those that do nothing, the one used longest ago first, until there are no more than may be kept. */
  async #trim(): Promise<void> {
    for (const [digest, kept] of this.#sandboxes) {
      if (this.#sandboxes.size <= this.options.bundles) return;
      if (kept.calls > 0) continue;
      this.#sandboxes.delete(digest);
      await giveUp(kept);
    }
  }

  async #load(bytes: Uint8Array, digest: string): Promise<Sandbox> {
    const { openBundle } = await import("../../packaging/open_bundle.ts");
    const bundle = await openBundle(bytes as Uint8Array<ArrayBuffer>, { digest });
    const { memoryBytes } = this.options;
    const policy = { limits: { ...endless, memoryBytes } };
    return await (await placeOf(this)).load(bundle, { policy });
  }
}

/** A sandbox, and how many calls are under way in it. */
interface Kept {
  loaded: Promise<Sandbox>;
  calls: number;
}

/** Ends a sandbox. Whoever asked for one that could not be loaded was told. */
async function giveUp({ loaded }: Kept): Promise<void> {
  await loaded.then((sandbox) => sandbox[Symbol.asyncDispose](), () => {});
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

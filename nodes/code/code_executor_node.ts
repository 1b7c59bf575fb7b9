import { z } from "zod";
import { encodeValue } from "../../core/codec/mod.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { type Bundle, endless, MAX_TIMEOUT_MS, placeOf, type Sandbox } from "./code_place.ts";

const schema = z.strictObject({
  source: z.string().min(1).max(1_000_000)
    .describe("JavaScript or TypeScript that reads `input` and assigns `result`; may await").meta({
      examples: ["result = input"],
    }),
  memoryBytes: z.int().min(2 ** 24).default(2 ** 28).describe("Memory that it may use, in bytes"),
  timeoutMs: z.number().positive().max(MAX_TIMEOUT_MS).default(10_000)
    .describe("Time for one chunk, in ms"),
});

/** Options of a {@linkcode CodeExecutorNode}. */
export interface CodeExecutorOptions {
  /** JavaScript or TypeScript that reads `input` and assigns `result`; may await. */
  source: string;
  /** Memory that it may use, in bytes. @default 256 MiB */
  memoryBytes: number;
  /** Time for one chunk, in ms. @default 10000 */
  timeoutMs: number;
}

/** Options of a {@linkcode CodeExecutorNode} as they are written. */
export type CodeExecutorInput = Pick<CodeExecutorOptions, "source"> & Partial<CodeExecutorOptions>;

/**
 * Runs source text for each chunk: `input` is the chunk, what the text assigns to `result` is the output;
 * `undefined` is none. TypeScript is allowed, imports are not. It runs in a sandbox without any rights, here as
 * on a server; what it keeps in `globalThis` lives as long as the node.
 *
 * @example
 * ```ts
 * import { CodeExecutorNode, Pipeline } from "@remotemedia/sdk";
 *
 * const node = new CodeExecutorNode({ source: "const n: number = input; result = n ** 2;" });
 * console.log(await Array.fromAsync(new Pipeline([node]).run([1, 2, 3]))); // [1, 4, 9]
 * ```
 */
export class CodeExecutorNode
  extends Node<unknown, unknown, CodeExecutorOptions, CodeExecutorInput> {
  /** Checks and completes the options. */
  static override readonly options: z.ZodType<CodeExecutorOptions> = schema;
  /** Runs foreign code, if in a sandbox: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["code"];
  #sandbox: Sandbox | undefined;

  /** Loads the text into a sandbox. @throws what the text has of syntax errors */
  override async open(_context: NodeContext): Promise<void> {
    const { source, memoryBytes } = this.options;
    const place = await placeOf(this);
    // all of the wrapper is on the first line, so that the lines in a stack are those of the text
    const code =
      `const work = async (input: any) => { let result: any; ${source}\n; return result; };
      export const run = async (input: any) => [await work(input)];`; // in a list it travels, or is refused
    const bundle: Bundle = bundleOf(code);
    const policy = { limits: { ...endless, memoryBytes } };
    this.#sandbox = await place.load(bundle, { policy, language: "ts" });
  }

  /**
   * Runs the text once.
   *
   * @throws {SandboxError} if it takes too long or too much; and whatever it throws
   * @throws {SerializationError} if the result cannot travel: a function, a generator
   */
  async process(input: unknown): Promise<unknown> {
    const sandbox = this.#sandbox!;
    const { timeoutMs } = this.options;
    const args = encodeValue([input]);
    const timer = setTimeout(() => sandbox.abandon(`ran for ${timeoutMs} ms`), timeoutMs);
    try {
      const outcome = await sandbox.operate({
        kind: "apply",
        target: 0,
        path: ["run"],
        args,
        callbacks: [],
      });
      const { valueOf } = await import("../../remote/objects/object_channel.ts");
      return (valueOf(outcome) as [unknown])[0];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the sandbox. */
  override async close(): Promise<void> {
    await this.#sandbox?.[Symbol.asyncDispose]();
  }
}

/** A bundle of one module that asks for nothing. */
function bundleOf(code: string): Bundle {
  return {
    digest: "",
    bytes: new Uint8Array(0),
    code,
    files: new Map(),
    manifest: {
      format: 1,
      entry: "source.ts",
      exports: ["run"],
      sdk: "0.0.0",
      runtime: "0.0.0",
      permissions: { net: [], read: [], env: [] },
      files: [],
      modules: [],
    },
  };
}

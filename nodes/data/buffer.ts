import { z } from "zod";
import { Node } from "../../core/node.ts";

const schema = z.strictObject({
  size: z.int().min(1).max(100_000).default(10).describe("Chunks in a list"),
  overlap: z.int().min(0).default(0)
    .describe("How many chunks at the end of a list are also the first of the next"),
}).refine(({ size, overlap }) => overlap < size, {
  message: "overlap must be less than size",
  path: ["overlap"],
});

/** Options of {@linkcode Buffer}. */
export interface BufferOptions {
  /** Chunks in a list. @default 10 */
  size: number;
  /** How many chunks at the end of a list are also the first of the next. @default 0 */
  overlap: number;
}

/**
 * Collects chunks into lists of `size`, which may overlap; what is left is given as a shorter list at the end
 * of the stream. Keeps fewer than `size` chunks. An interrupt forgets them.
 *
 * @example
 * ```ts
 * import { Buffer } from "@remotemedia/sdk/nodes";
 *
 * const pairs = ReadableStream.from([1, 2, 3]).pipeThrough(new Buffer({ size: 2, overlap: 1 }));
 * console.log(await Array.fromAsync(pairs)); // [[1, 2], [2, 3]]
 * ```
 */
export class Buffer<T = unknown> extends Node<T, T[], BufferOptions> {
  /** The name of the type. */
  static override readonly type = "Buffer";
  /** Checks the options. */
  static override readonly options: z.ZodType<BufferOptions> = schema;
  #chunks: T[] = [];
  /** How many of the chunks were not in any list yet. */
  #fresh = 0;

  /** Gives a list when it is full. */
  process(input: T): T[] | undefined {
    const { size, overlap } = this.options;
    this.#chunks.push(input);
    this.#fresh++;
    if (this.#chunks.length < size) return undefined;
    const list = this.#chunks;
    this.#chunks = overlap === 0 ? [] : list.slice(-overlap);
    this.#fresh = 0;
    return list;
  }

  /** Gives the list that is not full. */
  override flush(): T[] | undefined {
    return this.#fresh === 0 ? undefined : this.#chunks;
  }

  /** Forgets the list that is not full. */
  override onInterrupt(): void {
    this.#chunks = [];
    this.#fresh = 0;
  }

  /** The chunks that are kept. */
  override snapshot(): unknown {
    return { chunks: [...this.#chunks], fresh: this.#fresh };
  }

  /** Goes on with the chunks that were kept. */
  override restore(state: { chunks: T[]; fresh: number }): void {
    this.#chunks = [...state.chunks];
    this.#fresh = state.fresh;
  }
}

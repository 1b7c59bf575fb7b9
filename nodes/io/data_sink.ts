import { z } from "zod";
import type { Overflow } from "../../core/executor.ts";
import { Node, type NodeConfig } from "../../core/node.ts";

const schema = z.strictObject({
  size: z.int().min(1).max(1_000_000).default(16).describe("The most chunks that wait to be taken"),
  overflow: z.enum(["block", "drop-oldest", "drop-newest"]).default("block")
    .describe("Whether a stream whose chunks are not taken is held up, or chunks are dropped"),
});

/** Options of {@linkcode DataSink}. */
export interface DataSinkOptions {
  /** The most chunks that wait to be taken. @default 16 */
  size: number;
  /** Whether a stream whose chunks are not taken is held up, or chunks are dropped. @default "block" */
  overflow: Overflow;
}

/**
 * Where code takes chunks out of a stream when it wants them, one by one: pipe the stream to its `writable`. Holds
 * at most `size` chunks. In a pipeline it passes on what it is given.
 *
 * @example
 * ```ts
 * import { DataSink } from "@remotemedia/sdk/nodes";
 *
 * const sink = new DataSink<number>();
 * const piped = ReadableStream.from([1, 2, 3]).pipeTo(sink.writable);
 * console.log(await sink.take()); // 1
 * for await (const chunk of sink) console.log(chunk); // 2, 3
 * await piped;
 * ```
 */
export class DataSink<T = unknown> extends Node<T, T, DataSinkOptions> {
  /** The name of the type. */
  static override readonly type = "DataSink";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<DataSinkOptions> = schema;
  #reader: ReadableStreamDefaultReader<T> | undefined;

  /** Makes one. @param options how much it holds; @param config a `queue` there goes before `options` */
  constructor(options: Partial<DataSinkOptions> = {}, config: NodeConfig = {}) {
    const { size = 16, overflow = "block" } = options ?? {};
    super(options, { ...config, queue: config.queue ?? { size, overflow } });
  }

  /** Gives the chunk. */
  process(input: T): T {
    return input;
  }

  /**
   * The next chunk; waits until there is one. `undefined` at the end of the stream.
   *
   * @throws whatever the stream failed with
   * @throws {TypeError} if something else reads from the sink
   */
  async take(): Promise<T | undefined> {
    const { value } = await this.#own().read();
    return value;
  }

  /** Takes no more: cancels the stream. */
  async cancel(reason?: unknown): Promise<void> {
    await this.#own().cancel(reason);
  }

  /** All chunks that are left; leaving the loop early cancels the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    let ended = false;
    try {
      while (true) {
        const { done, value } = await this.#own().read();
        if (done) {
          ended = true;
          return;
        }
        yield value;
      }
    } finally {
      if (!ended) await this.cancel().catch(() => {}); // a stream that failed told so above
    }
  }

  #own(): ReadableStreamDefaultReader<T> {
    return this.#reader ??= this.readable.getReader();
  }
}

import { z } from "zod";
import { cannot, PipelineError } from "../../core/errors.ts";
import type { Overflow } from "../../core/executor.ts";
import { Node, type NodeConfig } from "../../core/node.ts";

const schema = z.strictObject({
  size: z.int().min(1).max(1_000_000).default(16).describe("The most chunks that wait to be read"),
  overflow: z.enum(["block", "drop-oldest", "drop-newest"]).default("block")
    .describe("Whether a chunk for which there is no room waits, or one is dropped"),
});

/** Options of {@linkcode DataSource}. */
export interface DataSourceOptions {
  /** The most chunks that wait to be read. @default 16 */
  size: number;
  /** Whether a chunk for which there is no room waits, or one is dropped. @default "block" */
  overflow: Overflow;
}

/**
 * Where code that has chunks to give, a callback for example, pushes them into a stream: read its `readable`.
 * Holds at most `size` chunks; with `overflow: "block"` as many calls of `push()` may wait, and one more is
 * refused, so that not awaiting them cannot fill the memory. In a pipeline it passes on what it is given.
 *
 * @example
 * ```ts
 * import { DataSource } from "@remotemedia/sdk/nodes";
 *
 * const source = new DataSource<number>();
 * const received = Array.fromAsync(source.readable);
 * await source.push(1);
 * await source.push(2);
 * await source.end();
 * console.log(await received); // [1, 2]
 * ```
 */
export class DataSource<T = unknown> extends Node<T, T, DataSourceOptions> {
  /** The name of the type. */
  static override readonly type = "DataSource";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<DataSourceOptions> = schema;
  #writer: WritableStreamDefaultWriter<T> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #ended: Promise<void> | undefined;

  /** Makes one. @param options how much it holds; @param config a `queue` there goes before `options` */
  constructor(options: Partial<DataSourceOptions> = {}, config: NodeConfig = {}) {
    const { size = 16, overflow = "block" } = options ?? {};
    super(options, { ...config, queue: config.queue ?? { size, overflow } });
  }

  /** Gives the chunk. */
  process(input: T): T {
    return input;
  }

  /**
   * Puts a chunk into the stream. Resolves when there was room for it.
   *
   * @throws {RangeError} if `size` calls wait already
   * @throws {PipelineError} if something else writes to the source, or it has ended
   * @throws whatever the stream failed with, or was cancelled with
   */
  push(chunk: T): Promise<void> {
    const { size, overflow } = this.options;
    if (this.#ended !== undefined) {
      return Promise.reject(new PipelineError("Cannot push into a source that has ended"));
    }
    if (overflow === "block" && this.#waiting >= size) {
      const rule = `at most ${size} calls may wait: await them`;
      return Promise.reject(
        new RangeError(cannot("push chunk", { rule, value: this.#waiting })),
      );
    }
    this.#waiting++;
    const turn = this.#turn.then(() => this.#write(chunk)).finally(() => this.#waiting--);
    this.#turn = turn.catch(() => {}); // whoever pushed was told
    return turn;
  }

  /** Ends the stream after all that was pushed, once. Resolves when all of it was read. */
  end(): Promise<void> {
    return this.#ended ??= this.#turn.then(() => this.#own().close());
  }

  /** Fails the stream; what was not read yet is dropped. */
  async fail(reason: unknown): Promise<void> {
    await this.#own().abort(reason).catch((error) => {
      if (error !== reason) throw error;
    });
  }

  async #write(chunk: T): Promise<void> {
    const writer = this.#own();
    await writer.ready;
    writer.write(chunk).catch(() => {}); // the next push() tells
  }

  #own(): WritableStreamDefaultWriter<T> {
    if (this.#writer !== undefined) return this.#writer;
    if (this.writable.locked) {
      throw new PipelineError("Cannot push into a source that something else writes to");
    }
    return this.#writer = this.writable.getWriter();
  }
}

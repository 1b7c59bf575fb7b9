/** What {@linkcode ChunkStream} is told when no chunk is there. */
export const NONE: unique symbol = Symbol("none");

/**
 * A stream that `for await` takes chunks from without a read of the stream for each, where they are there
 * already. Whoever reads or pipes it finds an ordinary stream.
 */
export class ChunkStream extends ReadableStream<unknown> {
  readonly #takeNow: () => unknown;

  /** @param source as of every stream; @param takeNow gives the next chunk if it is there, else {@linkcode NONE} */
  constructor(source: UnderlyingDefaultSource<unknown>, takeNow: () => unknown) {
    super(source, { highWaterMark: 0 });
    this.#takeNow = takeNow;
  }

  override values(options?: ReadableStreamIteratorOptions): AsyncIterableIterator<unknown> {
    return new ChunkIterator(this.getReader(), {
      takeNow: this.#takeNow,
      preventCancel: options?.preventCancel ?? false,
    });
  }

  override [Symbol.asyncIterator](
    options?: ReadableStreamIteratorOptions,
  ): AsyncIterableIterator<unknown> {
    return this.values(options);
  }
}

/** The iterator of a {@linkcode ChunkStream}; holds the stream's lock until it is over, as the platform's does. */
class ChunkIterator implements AsyncIterableIterator<unknown> {
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  readonly #takeNow: () => unknown;
  readonly #preventCancel: boolean;
  /** The last read that was asked for, and how many are not answered: later chunks wait for them. */
  #last: Promise<unknown> = Promise.resolve();
  #reads = 0;
  #over = false;

  constructor(
    reader: ReadableStreamDefaultReader<unknown>,
    { takeNow, preventCancel }: { takeNow: () => unknown; preventCancel: boolean },
  ) {
    this.#reader = reader;
    this.#takeNow = takeNow;
    this.#preventCancel = preventCancel;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#reads === 0 && !this.#over) {
      const value = this.#takeNow();
      if (value !== NONE) return Promise.resolve({ done: false, value });
    }
    const read = this.#read();
    this.#last = read;
    return read;
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    await this.#last.catch(() => {}); // whoever asked for it is told
    if (!this.#over) {
      const cancelled = this.#preventCancel ? undefined : this.#reader.cancel(value);
      this.#end();
      await cancelled;
    }
    return { done: true, value };
  }

  async #read(): Promise<IteratorResult<unknown>> {
    if (this.#over) return { done: true, value: undefined };
    this.#reads++;
    try {
      const { done, value } = await this.#reader.read();
      if (!done) return { done, value };
      this.#end();
      return { done, value: undefined };
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#reads--;
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.releaseLock();
  }
}

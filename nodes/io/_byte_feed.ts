/**
 * Turns bytes that are pushed into a stream that is pulled. Holds one chunk: {@linkcode ByteFeed.put} tells
 * when it is used up.
 */
export class ByteFeed {
  /** The bytes. */
  readonly readable: ReadableStream<Uint8Array>;
  #chunk: Uint8Array | undefined;
  #isEnded = false;
  #filled = Promise.withResolvers<void>();
  #wanted = Promise.withResolvers<void>();

  constructor() {
    this.readable = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (this.#chunk === undefined && !this.#isEnded) {
          this.#wanted.resolve();
          await this.#filled.promise;
        }
        if (this.#chunk === undefined) return controller.close();
        controller.enqueue(this.#chunk);
        this.#chunk = undefined;
      },
      cancel: () => this.#wanted.resolve(),
    }, { highWaterMark: 0 });
  }

  /** Gives one chunk, after the one before it was used up. Resolves when more is wanted, or nothing ever again. */
  put(chunk: Uint8Array): Promise<void> {
    this.#wanted = Promise.withResolvers();
    this.#chunk = chunk;
    this.#fill();
    return this.#wanted.promise;
  }

  /** Ends the stream. */
  end(): void {
    this.#isEnded = true;
    this.#fill();
  }

  #fill(): void {
    this.#filled.resolve();
    this.#filled = Promise.withResolvers();
  }
}

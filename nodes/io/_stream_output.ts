/**
 * A stream of bytes as an output. Writing to it ends when the signal is aborted, though the stream may not have
 * taken the last piece: one that never does would hold up everything.
 */
export class StreamOutput {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #staysOpen: boolean;
  readonly #signal: AbortSignal;

  /** @param options `staysOpen`: whether closing leaves it open, as the standard output */
  constructor(
    stream: WritableStream<Uint8Array>,
    { staysOpen, signal }: { staysOpen: boolean; signal: AbortSignal },
  ) {
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {}); // write() or close() tells
    this.#staysOpen = staysOpen;
    this.#signal = signal;
  }

  /** Writes one piece. Resolves when the stream has taken it. */
  async write(bytes: Uint8Array): Promise<void> {
    const signal = this.#signal;
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#writer.write(bytes), aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Writes all that a stream gives. */
  async writeAll(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of stream) await this.write(bytes);
  }

  /** Closes the stream. */
  async close(): Promise<void> {
    if (this.#staysOpen) this.#writer.releaseLock();
    else await this.#writer.close();
  }

  /** Tells the stream that nothing more comes. When it is done with that is its owner's affair. */
  abort(reason: unknown): void {
    if (this.#staysOpen) this.#writer.releaseLock();
    else this.#writer.abort(reason).catch(() => {}); // it has failed already
  }
}

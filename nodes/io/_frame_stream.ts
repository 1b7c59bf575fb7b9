/** Frames as a reader of media gives them: some at a time, as its input comes in pieces. */
export type FrameBatches<T> = AsyncGenerator<T[], void, undefined>;

/** Options of {@linkcode frameStream}. */
interface FrameStreamOptions {
  /** Hands frames out no earlier than their timestamps say, from the first one on. */
  realtime: boolean;
  /** Ends the stream with an error. */
  signal: AbortSignal | undefined;
  /** Frees what was handed over, where the stream ends before it was opened. */
  discard?: (reason: unknown) => Promise<void>;
}

/**
 * Frames as a stream. Nothing is opened before somebody reads; no batch is asked for before the one before
 * it is read, so that one batch is what it holds.
 *
 * @param open starts the reading; must end, and free what it holds, when its signal is aborted
 */
export function frameStream<T extends { timestamp: number }>(
  open: (signal: AbortSignal) => FrameBatches<T>,
  { realtime, signal, discard }: FrameStreamOptions,
): ReadableStream<T> {
  const abort = new AbortController();
  const pace = realtime ? new Pace(abort.signal) : undefined;
  let batches: FrameBatches<T> | undefined;
  let batch: T[] = [];
  let next = 0;
  let stop: (() => void) | undefined;

  const end = async (reason: unknown) => {
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
    abort.abort(reason);
    batch = [];
    if (batches === undefined) await discard?.(reason);
    else await batches.return();
  };

  return new ReadableStream<T>({
    start(controller) {
      if (signal === undefined) return;
      stop = () => {
        controller.error(signal.reason);
        void end(signal.reason).catch(() => {}); // the stream has failed already, with the reason asked for
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    },
    pull(controller) {
      if (next < batch.length && pace === undefined) {
        controller.enqueue(batch[next++]!);
        return;
      }
      return pullNext(controller);
    },
    cancel: end,
  }, { highWaterMark: 0 });

  async function pullNext(controller: ReadableStreamDefaultController<T>): Promise<void> {
    try {
      batches ??= open(abort.signal);
      while (next >= batch.length) {
        const step = await batches.next();
        if (abort.signal.aborted) return;
        if (step.done) {
          controller.close();
          return await end(undefined);
        }
        [batch, next] = [step.value, 0];
      }
      const frame = batch[next++]!;
      await pace?.untilDue(frame.timestamp);
      if (!abort.signal.aborted) controller.enqueue(frame);
    } catch (error) {
      if (abort.signal.aborted) return; // ended from outside: that reason is the one to tell
      await end(error).catch(() => {}); // told below
      throw error;
    }
  }
}

/** Holds frames back until the clock has come as far as their timestamps. */
class Pace {
  readonly #signal: AbortSignal;
  #origin: { clockMs: number; timestamp: number } | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async untilDue(timestamp: number): Promise<void> {
    const now = performance.now();
    this.#origin ??= { clockMs: now, timestamp };
    const wait = this.#origin.clockMs + (timestamp - this.#origin.timestamp) / 1000 - now;
    if (wait <= 0 || this.#signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, wait);
    const wake = () => resolve();
    this.#signal.addEventListener("abort", wake, { once: true });
    await promise;
    clearTimeout(timer);
    this.#signal.removeEventListener("abort", wake);
  }
}

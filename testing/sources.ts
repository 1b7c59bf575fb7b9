/** An endless source, and what became of it. */
export interface EndlessSource<T> {
  /** The source. It holds nothing back: a chunk is made when one is asked for. */
  readonly stream: ReadableStream<T>;
  /** How many chunks it gave. */
  readonly produced: number;
  /** Resolves with the reason when it is cancelled. */
  readonly cancelled: Promise<unknown>;
}

/**
 * A source without end that counts what it gives.
 *
 * @param make gives the chunk of each index
 *
 * @example
 * ```ts
 * import { endlessSource } from "@remotemedia/sdk/testing";
 *
 * const source = endlessSource((index) => index);
 * const reader = source.stream.getReader();
 * await reader.read();
 * await reader.cancel("enough");
 * console.log(source.produced, await source.cancelled); // 1 "enough"
 * ```
 */
export function endlessSource<T>(make: (index: number) => T): EndlessSource<T> {
  let produced = 0;
  const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<T>({
    async pull(controller) {
      // a turn of the event loop each: a source that never waits would starve every timer
      if (produced % 64 === 63) await new Promise((resume) => setTimeout(resume, 0));
      controller.enqueue(make(produced++));
    },
    cancel: resolve,
  }, { highWaterMark: 0 });
  return {
    stream,
    cancelled,
    get produced() {
      return produced;
    },
  };
}

/**
 * A source that waits before each chunk.
 *
 * @param chunks what it gives
 * @param options how long it waits, in ms
 *
 * @example
 * ```ts
 * import { slowSource } from "@remotemedia/sdk/testing";
 *
 * console.log(await Array.fromAsync(slowSource([1, 2], { delayMs: 1 }))); // [1, 2]
 * ```
 */
export function slowSource<T>(
  chunks: Iterable<T>,
  { delayMs }: { delayMs: number },
): ReadableStream<T> {
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream<T>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
}

/**
 * A source that fails after its chunks.
 *
 * @param chunks what it gives first
 * @param error what it fails with
 *
 * @example
 * ```ts
 * import { failingSource } from "@remotemedia/sdk/testing";
 *
 * const source = failingSource([1], new Error("unplugged"));
 * await Array.fromAsync(source).catch((error) => console.log(error.message)); // unplugged
 * ```
 */
export function failingSource<T>(chunks: Iterable<T>, error: unknown): ReadableStream<T> {
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream<T>({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.error(error);
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
}

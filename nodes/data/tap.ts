import { z } from "zod";
import { Node, type NodeContext } from "../../core/node.ts";
import { kindOf } from "./_chunk_kind.ts";
import { timestampOf } from "./_field.ts";

const levels = ["debug", "info", "warn", "error"] as const;

const schema = z.strictObject({
  level: z.enum(["off", ...levels]).default("debug").describe("The level of the log records"),
  every: z.int().min(1).default(1).describe("Of how many chunks one is logged"),
});

/** Options of {@linkcode Tap}. */
export interface TapOptions {
  /** The level of the log records. @default "debug" */
  level: "off" | "debug" | "info" | "warn" | "error";
  /** Of how many chunks one is logged. @default 1 */
  every: number;
}

/** Options of {@linkcode Tap.observe}. */
export interface ObserveOptions {
  /** How many chunks wait for the observer; one more drops the oldest. @default 64 */
  size?: number;
}

/** What waits for one observer. */
interface Observer<T> {
  chunks: T[];
  size: number;
  controller: ReadableStreamDefaultController<T>;
  /** Whether it waits for a chunk. */
  waits: boolean;
}

/**
 * Lets chunks pass untouched and tells what passes: to the log, by kind and timestamp, and to any number of
 * observers in this process. An observer never holds up the stream: what it does not read in time is dropped,
 * oldest first. Where the node runs elsewhere, only the log tells.
 *
 * @example
 * ```ts
 * import { Pipeline } from "@remotemedia/sdk";
 * import { Tap } from "@remotemedia/sdk/nodes";
 *
 * const tap = new Tap<number>({ level: "off" });
 * const seen = Array.fromAsync(tap.observe({ size: 2 }));
 * await Array.fromAsync(new Pipeline([tap]).run([1, 2, 3]));
 * console.log(await seen); // the last chunks, at least two of them
 * ```
 */
export class Tap<T = unknown> extends Node<T, T, TapOptions> {
  /** The name of the type. */
  static override readonly type = "Tap";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<TapOptions> = schema;
  readonly #observers = new Set<Observer<T>>();
  #context: NodeContext | undefined;
  #count = 0;
  #ended: { reason: unknown } | undefined;

  /** Keeps the log. */
  override open(context: NodeContext): void {
    this.#context = context;
  }

  /** Gives the chunk as it is. */
  process(input: T): T {
    const { level, every } = this.options;
    if (level !== "off" && this.#count % every === 0) {
      const [index, timestamp] = [this.#count, timestampOf(input)];
      this.#context?.log[level]("Chunk {index}: {kind} at {timestamp} µs", {
        index,
        kind: kindOf(input),
        timestamp,
      });
    }
    this.#count++;
    for (const observer of this.#observers) show(observer, input);
    return input;
  }

  /** Ends what observers read. */
  override close(reason: unknown): void {
    this.#ended = { reason };
    for (const observer of this.#observers) this.#end(observer);
  }

  /**
   * What passes from now on. Ends, or fails, as the stream does. Cancel it to stop observing.
   *
   * @param options how many chunks may wait
   * @throws {RangeError} if `size` is not a whole number of at least 1
   */
  observe({ size = 64 }: ObserveOptions = {}): ReadableStream<T> {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot observe as size must be a whole number of at least 1: current value is ${size}`,
      );
    }
    let observer: Observer<T>;
    return new ReadableStream<T>({
      start: (controller) => {
        observer = { chunks: [], size, controller, waits: false };
        if (this.#ended !== undefined) this.#end(observer);
        else this.#observers.add(observer);
      },
      pull: (controller) => {
        if (observer.chunks.length > 0) controller.enqueue(observer.chunks.shift()!);
        else observer.waits = true;
        if (this.#ended !== undefined) this.#end(observer);
      },
      cancel: () => {
        this.#observers.delete(observer);
      },
    }, { highWaterMark: 0 });
  }

  /** Fails it at once, or closes it when it has read what waits. */
  #end(observer: Observer<T>): void {
    const { reason } = this.#ended!;
    if (reason !== undefined) observer.controller.error(reason);
    else if (observer.chunks.length === 0) observer.controller.close();
    else return;
    this.#observers.delete(observer);
  }
}

function show<T>(observer: Observer<T>, chunk: T): void {
  if (observer.waits) {
    observer.waits = false;
    observer.controller.enqueue(chunk);
    return;
  }
  observer.chunks.push(chunk);
  if (observer.chunks.length > observer.size) observer.chunks.shift();
}

import { z } from "zod";
import { Node, type NodeContext } from "../../core/node.ts";
import { requireTimestamp } from "./_field.ts";
import { sizeOf } from "./_size.ts";

/** The longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const schema = z.strictObject({
  maxCount: z.int().min(1).max(100_000).default(1000).describe("The most chunks in a batch"),
  maxBytes: z.int().min(1).optional()
    .describe("The most bytes in a batch; one chunk that is larger goes alone"),
  maxMs: z.number().positive().optional()
    .describe("How long a batch may span from its first chunk, in ms"),
  clock: z.enum(["arrival", "timestamp"]).default("arrival")
    .describe("Whether maxMs is measured by this machine's clock, or by the chunks' timestamps"),
});

/** Options of {@linkcode Batch}. */
export interface BatchOptions {
  /** The most chunks in a batch. @default 1000 */
  maxCount: number;
  /** The most bytes in a batch; one chunk that is larger goes alone. @default no limit */
  maxBytes?: number;
  /** How long a batch may span from its first chunk, in ms. @default no limit */
  maxMs?: number;
  /** Whether `maxMs` is measured by this machine's clock, or by the chunks' timestamps. @default "arrival" */
  clock: "arrival" | "timestamp";
}

/**
 * Collects chunks into batches that end when they have `maxCount` chunks, before they pass `maxBytes`, or
 * `maxMs` after the first one. What is left is given at the end of the stream.
 *
 * With `clock: "arrival"` a timer ends a batch that is `maxMs` old, also while no chunk comes. With
 * `"timestamp"` batches depend on the data alone: the chunk that is `maxMs` or more after the first one ends
 * the batch, and so does a timestamp that jumps back. Keeps fewer than `maxCount` chunks. An interrupt
 * forgets them. Throws a `TypeError` on a chunk without timestamp when it goes by them.
 *
 * @example
 * ```ts
 * import { Batch } from "@remotemedia/sdk/nodes";
 *
 * const batches = ReadableStream.from(["ab", "cd", "efgh"]).pipeThrough(new Batch({ maxBytes: 5 }));
 * console.log(await Array.fromAsync(batches)); // [["ab", "cd"], ["efgh"]]
 * ```
 */
export class Batch<T = unknown> extends Node<T, T[], BatchOptions> {
  /** The name of the type. */
  static override readonly type = "Batch";
  /** Checks the options. */
  static override readonly options: z.ZodType<BatchOptions> = schema;
  #chunks: T[] = [];
  #bytes = 0;
  /** When the first chunk came, in ms. */
  #start = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wake: () => void = () => {};

  /** Keeps what ends a batch by time. */
  override open({ wake }: NodeContext): void {
    this.#wake = wake;
  }

  /** Gives the batches that the chunk ends: none, one, or one before it and one with it. */
  process(input: T): T[] | Generator<T[]> | undefined {
    const { maxCount, maxBytes = Infinity } = this.options;
    const bytes = maxBytes === Infinity ? 0 : sizeOf(input);
    const now = this.#now(input);
    const before = this.#chunks.length > 0 && (this.#bytes + bytes > maxBytes || this.#isOver(now))
      ? this.#take()
      : undefined;
    if (this.#chunks.length === 0) this.#begin(now);
    this.#chunks.push(input);
    this.#bytes += bytes;
    const isFull = this.#chunks.length >= maxCount || this.#bytes >= maxBytes;
    if (!isFull) return before;
    const full = this.#take();
    return before === undefined ? full : both(before, full);
  }

  /** Gives the batch whose time is over. */
  override onWake(): T[] | undefined {
    return this.#chunks.length > 0 && this.#isOver(performance.now()) ? this.#take() : undefined;
  }

  /** Gives the batch that is begun. */
  override flush(): T[] | undefined {
    return this.#chunks.length === 0 ? undefined : this.#take();
  }

  /** Forgets the batch that is begun. */
  override onInterrupt(): void {
    this.#take();
  }

  /** The batch that is begun, and its age. */
  override snapshot(): unknown {
    const isArrival = this.options.clock === "arrival";
    const start = isArrival ? performance.now() - this.#start : this.#start;
    return { chunks: [...this.#chunks], bytes: this.#bytes, start };
  }

  /** Goes on with the batch that was begun. */
  override restore(state: { chunks: T[]; bytes: number; start: number }): void {
    const isArrival = this.options.clock === "arrival";
    this.#chunks = [...state.chunks];
    this.#bytes = state.bytes;
    if (this.#chunks.length > 0) {
      this.#begin(isArrival ? performance.now() - state.start : state.start);
    }
  }

  /** Ends the timer. */
  override close(): void {
    clearTimeout(this.#timer);
  }

  #begin(start: number): void {
    this.#start = start;
    const { maxMs, clock } = this.options;
    if (maxMs === undefined || clock !== "arrival") return;
    const left = start + maxMs - performance.now();
    // a timer may come a little early
    this.#timer = setTimeout(this.#wake, Math.min(Math.max(0, Math.ceil(left)) + 1, MAX_TIMER_MS));
  }

  #now(input: T): number {
    const { maxMs, clock } = this.options;
    if (maxMs === undefined) return 0;
    return clock === "arrival" ? performance.now() : requireTimestamp(this.type, input) / 1000;
  }

  #isOver(now: number): boolean {
    const { maxMs = Infinity } = this.options;
    return now - this.#start >= maxMs || now < this.#start;
  }

  #take(): T[] {
    clearTimeout(this.#timer);
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }
}

function* both<T>(first: T, second: T): Generator<T> {
  yield first;
  yield second;
}

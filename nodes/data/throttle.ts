import { z } from "zod";
import { Node, type NodeContext } from "../../core/node.ts";
import { requireTimestamp } from "./_field.ts";
import { Sleeper } from "./_sleeper.ts";

const schema = z.strictObject({
  limit: z.int().min(1).max(100_000).default(1).describe("The most chunks within perMs"),
  perMs: z.number().positive().max(86_400_000).default(1000).describe("The span, in ms"),
  excess: z.enum(["wait", "drop"]).default("wait")
    .describe("Whether a chunk that comes too early waits or is dropped"),
  clock: z.enum(["arrival", "timestamp"]).default("arrival")
    .describe("Whether time is measured when chunks come, or by their timestamps"),
}).refine(({ excess, clock }) => excess === "drop" || clock === "arrival", {
  message: 'with clock "timestamp" excess must be "drop", for a chunk cannot wait for its own time',
  path: ["excess"],
});

/** Options of {@linkcode Throttle}. */
export interface ThrottleOptions {
  /** The most chunks within `perMs`. @default 1 */
  limit: number;
  /** The span, in ms. @default 1000 */
  perMs: number;
  /** Whether a chunk that comes too early waits or is dropped. @default "wait" */
  excess: "wait" | "drop";
  /** Whether time is measured when chunks come, or by their timestamps. @default "arrival" */
  clock: "arrival" | "timestamp";
}

/**
 * Lets at most `limit` chunks through within any span of `perMs`. With `excess: "wait"` it holds up what
 * writes to it, and no chunk is lost; with `"drop"` chunks that come too early are left out.
 *
 * Keeps the times of the last `limit` chunks, and no chunk but the one that waits, which an interrupt drops.
 * With `clock: "timestamp"` a timestamp that jumps back starts the count anew; a chunk without one is a
 * `TypeError`.
 *
 * @example
 * ```ts
 * import { Throttle } from "@remotemedia/sdk/nodes";
 *
 * const node = new Throttle({ limit: 1, perMs: 100, excess: "drop", clock: "timestamp" });
 * const frames = [0, 40_000, 80_000, 120_000].map((timestamp) => ({ timestamp }));
 * const some = ReadableStream.from(frames).pipeThrough(node);
 * console.log(await Array.fromAsync(some)); // [{ timestamp: 0 }, { timestamp: 120000 }]
 * ```
 */
export class Throttle<T = unknown> extends Node<T, T, ThrottleOptions> {
  /** The name of the type. */
  static override readonly type = "Throttle";
  /** Checks the options. */
  static override readonly options: z.ZodType<ThrottleOptions> = schema;
  readonly #sleeper = new Sleeper();
  /** When the last `limit` chunks went through, in ms, oldest first. */
  #times: number[] = [];
  #interrupts = 0;

  /** Ends waits when the stream does. */
  override open({ signal }: NodeContext): void {
    signal.addEventListener("abort", () => this.#sleeper.wakeAll());
  }

  /** Gives the chunk, now, later or not at all. */
  process(input: T): T | undefined | Promise<T> {
    const { excess, clock } = this.options;
    const now = clock === "arrival" ? performance.now() : requireTimestamp(this.type, input) / 1000;
    if (clock === "timestamp" && now < (this.#times.at(-1) ?? now)) this.#times = [];
    const waitMs = this.#earliest() - now;
    if (waitMs <= 0) {
      this.#note(now);
      return input;
    }
    return excess === "drop" ? undefined : this.#later(input, waitMs);
  }

  /** Ends the wait: its chunk is dropped. */
  override onInterrupt(): void {
    this.#interrupts++;
    this.#sleeper.wakeAll();
  }

  /** The times of the last chunks, as ages where time is measured here. */
  override snapshot(): number[] {
    const now = this.options.clock === "arrival" ? performance.now() : 0;
    return this.#times.map((time) => time - now);
  }

  /** Goes on from the times of the last chunks. */
  override restore(state: number[]): void {
    const now = this.options.clock === "arrival" ? performance.now() : 0;
    this.#times = state.map((time) => time + now);
  }

  async #later(input: T, waitMs: number): Promise<T> {
    const interrupts = this.#interrupts;
    await this.#sleeper.sleep(waitMs);
    // one that an interrupt drops does not count; a timer may come a little early
    if (interrupts === this.#interrupts) {
      this.#note(Math.max(performance.now(), this.#earliest()));
    }
    return input;
  }

  /** From when on one more chunk may go through. */
  #earliest(): number {
    const { limit, perMs } = this.options;
    return this.#times.length < limit ? -Infinity : this.#times[0]! + perMs;
  }

  #note(time: number): void {
    this.#times.push(time);
    if (this.#times.length > this.options.limit) this.#times.shift();
  }
}

import { z } from "zod";
import { Node, type NodeConfig, type NodeContext } from "../../core/node.ts";
import { requireTimestamp } from "./_field.ts";
import { Sleeper } from "./_sleeper.ts";

const schema = z.strictObject({
  ms: z.number().min(0).max(86_400_000).default(0)
    .describe("How long a chunk is held after it came, or after it is due, in ms"),
  pace: z.boolean().default(false)
    .describe("Whether chunks are due by their timestamps, counted from the first one"),
  speed: z.number().positive().max(1000).default(1)
    .describe("With pace: how many times faster than their timestamps say"),
});

/** Options of {@linkcode Delay}. */
export interface DelayOptions {
  /** How long a chunk is held after it came, or after it is due, in ms. @default 0 */
  ms: number;
  /** Whether chunks are due by their timestamps, counted from the first one. @default false */
  pace: boolean;
  /** With `pace`: how many times faster than their timestamps say. @default 1 */
  speed: number;
}

/** Chunks that are held at once where `config.concurrency` does not say. */
const HELD = 64;

/**
 * Holds each chunk for `ms`; the distance between chunks stays. With `pace` it gives a recording as if it
 * were live: a chunk comes out `ms` after its timestamp is due, counted from the first chunk, and one that
 * is late or jumps back comes out at once.
 *
 * Holds at most `config.concurrency` chunks, 64 by default, and then holds up what writes to it. An interrupt
 * drops them, and starts a new count. Throws a `TypeError` on a chunk without timestamp when it paces.
 *
 * @example
 * ```ts
 * import { Delay } from "@remotemedia/sdk/nodes";
 *
 * const frames = [0, 20_000, 40_000].map((timestamp) => ({ timestamp }));
 * const start = performance.now();
 * for await (const _ of ReadableStream.from(frames).pipeThrough(new Delay({ pace: true })));
 * console.log(performance.now() - start >= 39); // true
 * ```
 */
export class Delay<T = unknown> extends Node<T, T, DelayOptions> {
  /** The name of the type. */
  static override readonly type = "Delay";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<DelayOptions> = schema;
  readonly #sleeper = new Sleeper();
  /** When the first chunk came, and its timestamp, both in ms. */
  #origin: { cameAt: number; timestamp: number } | undefined;

  /** Makes one. @param options how long; @param config `concurrency` is how many chunks are held at once */
  constructor(options: Partial<DelayOptions> = {}, config: NodeConfig = {}) {
    super(options, { ...config, concurrency: config.concurrency ?? HELD });
  }

  /** Ends waits when the stream does. */
  override open({ signal }: NodeContext): void {
    signal.addEventListener("abort", () => this.#sleeper.wakeAll());
  }

  /** Gives the chunk when its time has come. */
  async process(input: T): Promise<T> {
    const waitMs = this.#waitMs(input);
    if (waitMs > 0) await this.#sleeper.sleep(waitMs);
    return input;
  }

  /** Ends all waits: their chunks are dropped. */
  override onInterrupt(): void {
    this.#origin = undefined;
    this.#sleeper.wakeAll();
  }

  #waitMs(input: T): number {
    const { ms, pace, speed } = this.options;
    if (!pace) return ms;
    const timestamp = requireTimestamp(this.type, input) / 1000;
    const now = performance.now();
    this.#origin ??= { cameAt: now, timestamp };
    return this.#origin.cameAt + (timestamp - this.#origin.timestamp) / speed + ms - now;
  }
}

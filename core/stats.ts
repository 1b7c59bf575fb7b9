/** Times that a share of chunks stayed below, in ms. */
export interface Latency {
  /** Half of the chunks took at most this long. */
  p50: number;
  /** 95 of 100. */
  p95: number;
  /** 99 of 100. */
  p99: number;
}

/** What a node did so far. */
export interface NodeStats {
  /** The node's name in its pipeline. */
  name: string;
  /** The name of its type. */
  type: string;
  /** Chunks given to `process()`. */
  in: number;
  /** Chunks that it gave. */
  out: number;
  /** Chunks that its queue or an interrupt dropped. */
  dropped: number;
  /** How often it threw. */
  errors: number;
  /** Time spent in its methods, in ms; for fast nodes estimated from every 64th chunk. */
  busyMs: number;
  /** From a chunk's start in `process()` to the end of its last output. */
  latency: Latency;
  /** Chunks that wait in front of it now. */
  queueDepth: number;
}

/** How much a node did so far: what of its {@linkcode NodeStats} adds up. */
export type NodeCounts = Pick<NodeStats, "in" | "out" | "dropped" | "errors" | "busyMs">;

/** Two buckets an octave from 1 µs to about 70 minutes: 64 numbers whatever is recorded. */
const BUCKETS = 64;

/**
 * A histogram of times in bounded memory: 64 logarithmic buckets, so a quantile is right within 42 %
 * above, never below.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;

  /** Adds one time. @param ms the time in ms; @param weight how many chunks it stands for */
  record(ms: number, weight = 1): void {
    const halfOctaves = Math.ceil(2 * Math.log2(Math.max(ms, 0.001) * 1000));
    this.#counts[Math.min(halfOctaves, BUCKETS - 1)]! += weight;
    this.#total += weight;
  }

  /** The time, in ms, that a share of all times did not pass; 0 while there are none. */
  quantile(share: number): number {
    let left = share * this.#total;
    if (this.#total === 0) return 0;
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return 2 ** (bucket / 2) / 1000;
    }
    return 2 ** ((BUCKETS - 1) / 2) / 1000;
  }

  /** The three quantiles that {@linkcode NodeStats} shows. */
  summary(): Latency {
    const latency = {
      p50: this.quantile(0.5),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
    };
    countsBehind.set(latency, this.#counts.slice());
    return latency;
  }
}

/** What quantiles were made of; gone with them. */
const countsBehind = new WeakMap<Latency, Float64Array>();

/**
 * How many chunks took how long: bucket `i` counts those that took at most `2 ** (i / 2)` µs, and more than the
 * bucket before. `undefined` for what another process or thread told, which tells quantiles only.
 *
 * @param latency as {@linkcode NodeStats} shows it
 *
 * @example
 * ```ts
 * import { latencyCounts, PassThrough, Pipeline } from "@remotemedia/sdk";
 *
 * const pipeline = new Pipeline([new PassThrough()]);
 * await Array.fromAsync(pipeline.run([1, 2]));
 * const counts = latencyCounts(pipeline.stats()[0]!.latency)!;
 * console.log(counts.reduce((sum, count) => sum + count)); // chunks that were timed
 * ```
 */
export function latencyCounts(latency: Latency): Float64Array | undefined {
  return countsBehind.get(latency);
}

import type { NodeStats } from "./stats.ts";

/** What happens to a chunk for which a queue has no room. */
export type Overflow = "block" | "drop-oldest" | "drop-newest";

/** A queue in front of a node. */
export interface QueueConfig {
  /** How many chunks it holds at the most. */
  size: number;
  /** What happens to one more. @default "block" */
  overflow?: Overflow;
}

/** A node as data: enough to make it again elsewhere. */
export interface NodeSpec {
  /** The name in its pipeline. */
  name: string;
  /** The name of its type in a registry; for user code, the name of the exported class. */
  type: string;
  /** Its own options. */
  options: Readonly<Record<string, unknown>>;
  /** How many chunks it works on at once. */
  concurrency?: number;
  /** The queue in front of it. */
  queue?: QueueConfig;
  /** The module that exports the class, as URL, for user code. */
  module?: string;
  /** How it goes on elsewhere when the place where it runs is gone. @default not */
  resume?: ResumeBy;
}

/** How a node goes on elsewhere: by getting its last inputs again, or from its state before them. */
export type ResumeBy = "replay" | "snapshot";

/** A running segment: two ends, and what can be asked of what is between them. */
export interface Segment<I = unknown, O = unknown> {
  /** Where its outputs come out. */
  readonly readable: ReadableStream<O>;
  /** Where its inputs go in. */
  readonly writable: WritableStream<I>;
  /**
   * The most chunks that it holds between its ends when nobody reads: the sum of its queues and of
   * what its nodes work on.
   */
  readonly capacity: number;
  /** Drops all that was written so far and is not yet out. Resolves once nothing of it is left. */
  interrupt(): Promise<void>;
  /** Ends it now from outside: both ends fail with `reason`, nodes are closed. */
  stop(reason: unknown): Promise<void>;
  /** What its nodes did so far, in their order. */
  stats(): NodeStats[];
  /**
   * The states that its nodes go on from, by node name; those of other nodes are passed over. Before the
   * first chunk. A segment without it cannot be given any.
   */
  restore?(states: ReadonlyMap<string, unknown>): void;
  /**
   * Reads all of `source` instead of being written to, then ends. Resolves, without ever failing, when that is
   * done. A segment without it is written to.
   */
  feed?(source: ReadableStream<unknown>): Promise<void>;
}

/**
 * Where a segment runs when not here. `core` knows only this interface; `RemoteExecutor`,
 * `ThreadExecutor` and `SandboxExecutor` are in `remote`.
 */
export interface Executor {
  /** What to call it in errors and pictures. */
  readonly name: string;
  /**
   * Starts neighbouring nodes as one segment. Returns at once and connects when first used: what goes
   * wrong then fails the segment's streams.
   *
   * @param nodes the nodes, in their order; at least one
   */
  open(nodes: readonly NodeSpec[]): Segment;
}

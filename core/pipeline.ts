import { PipelineError } from "./errors.ts";
import type { AnyNode, InputOf, OutputOf } from "./node.ts";
import { connect, type RestorableSegment } from "./stage/connect.ts";
import type { Drive, Inlet, Outlet } from "./stage/ends.ts";
import type { NodeStats } from "./stats.ts";
import type { Marker } from "./frames/marker.ts";

/** A line of at least one node. */
export type NodeLine = readonly [AnyNode, ...AnyNode[]];

/** What the first node of a line takes. */
export type LineInput<Nodes extends readonly AnyNode[]> = Nodes extends
  readonly [infer First, ...infer _Rest] ? InputOf<First> : InputOf<Nodes[number]>;

/** What the last node of a line gives. */
export type LineOutput<Nodes extends readonly AnyNode[]> = Nodes extends
  readonly [...infer _Rest, infer Last] ? OutputOf<Last> : OutputOf<Nodes[number]>;

/**
 * A line of nodes, each of which takes what the one before it gives. Where one does not, the type of its
 * place names both, so that the compiler's message does.
 */
export type Fitting<Nodes extends readonly unknown[]> = Nodes extends
  readonly [infer A, infer B, ...infer Rest]
  ? [OutputOf<A>] extends [InputOf<B>] ? readonly [A, ...Fitting<readonly [B, ...Rest]>]
  : readonly [
    A,
    { "does not take what the node before it gives": [OutputOf<A>, InputOf<B>] },
    ...Rest,
  ]
  : Nodes;

/** Whatever a pipeline can read from. */
export type Source<T> = ReadableStream<T> | AsyncIterable<T> | Iterable<T>;

/** Options of {@linkcode Pipeline.run}. */
export interface RunOptions {
  /** Ends the run: the source is cancelled, nodes are closed, the outputs fail with its reason. */
  signal?: AbortSignal;
}

let driveBetween: (pipeline: Pipeline, inlet: Inlet, outlet: Outlet) => Drive;

/**
 * Lets a pipeline take chunks from an inlet and give them to an outlet, instead of being written to and read:
 * for those who carry chunks to it from elsewhere, as a server does.
 */
export function drive(pipeline: Pipeline, inlet: Inlet, outlet: Outlet): Drive {
  return driveBetween(pipeline, inlet, outlet);
}

/**
 * A line of nodes as one `{ readable, writable }` pair.
 *
 * Synchronous neighbours are fused, so that a chunk passes all of them in one call; a node that is
 * async, works on several chunks at once or has a queue of its own starts a new stage; neighbours with
 * the same executor run there as one segment. Between its ends it holds at most
 * {@linkcode Pipeline.capacity} chunks. Like every stream it is used once.
 *
 * @example
 * ```ts
 * import { Node, Pipeline } from "@remotemedia/sdk";
 *
 * class Double extends Node<number, number> {
 *   process(input: number): number {
 *     return 2 * input;
 *   }
 * }
 *
 * const pipeline = new Pipeline([new Double(), new Double()]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2, 3]))); // [4, 8, 12]
 * ```
 */
export class Pipeline<const Nodes extends readonly AnyNode[] = readonly AnyNode[]> {
  /** The nodes, in their order. */
  readonly nodes: Nodes;
  readonly #segment: RestorableSegment;
  #used = false;

  static {
    driveBetween = (pipeline, inlet, outlet) => {
      pipeline.#used = true;
      return pipeline.#segment.drive(inlet, outlet);
    };
  }

  /**
   * Connects the nodes; nothing runs yet.
   *
   * @param nodes at least one; each takes what the one before it gives
   * @throws {PipelineError} if there is no node, one is there twice, or two have the same given name
   */
  constructor(nodes: Nodes & Fitting<NoInfer<Nodes>>) {
    if (nodes.length === 0) throw new PipelineError("Cannot build pipeline as it must have a node");
    if (new Set(nodes as readonly AnyNode[]).size !== nodes.length) {
      throw new PipelineError("Cannot build pipeline as a node must not be in it twice");
    }
    this.nodes = nodes;
    this.#segment = connect(nodes);
  }

  /** Where outputs come out. */
  get readable(): ReadableStream<LineOutput<Nodes>> {
    return this.#segment.readable as ReadableStream<LineOutput<Nodes>>;
  }

  /** Where inputs go in; markers too. */
  get writable(): WritableStream<LineInput<Nodes> | Marker> {
    return this.#segment.writable as WritableStream<LineInput<Nodes> | Marker>;
  }

  /**
   * The most chunks between its ends when nobody reads: the sum of its queues and of what its nodes
   * work on at once.
   */
  get capacity(): number {
    return this.#segment.capacity;
  }

  /**
   * Reads all of a source through the pipeline.
   *
   * @param source a stream or an iterable of chunks
   * @param options how to end it early
   * @returns the outputs: `for await` them, or pipe them on
   * @throws {PipelineError} if the pipeline runs or ran already
   */
  run(
    source: Source<LineInput<Nodes> | Marker>,
    { signal }: RunOptions = {},
  ): ReadableStream<LineOutput<Nodes>> {
    if (this.#used || this.writable.locked) {
      throw new PipelineError("Cannot run pipeline twice as its nodes keep state: make a new one");
    }
    this.#used = true;
    const input = source instanceof ReadableStream ? source : ReadableStream.from(source);
    const stop = () => void this.#segment.stop(signal!.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    void this.#segment.feed(input).finally(() => signal?.removeEventListener("abort", stop));
    return this.readable;
  }

  /**
   * Drops all that went in and is not yet out, here and on other machines, and keeps the pipeline
   * running: for barge-in. Resolves when nothing of it can come out any more. Markers are kept.
   */
  interrupt(): Promise<void> {
    return this.#segment.interrupt();
  }

  /** What each node did so far, in their order; of nodes elsewhere, as last told. */
  stats(): NodeStats[] {
    return this.#segment.stats();
  }

  /** Ends the run from outside: both ends fail with `reason`. Resolves when all nodes are closed. */
  stop(reason: unknown): Promise<void> {
    return this.#segment.stop(reason);
  }

  /**
   * Lets the nodes go on from states taken by an earlier run. Before the first chunk.
   *
   * @param states by node name
   * @throws {PipelineError} if the nodes are open already, or run where no state can be brought to
   */
  restore(states: ReadonlyMap<string, unknown>): void {
    this.#segment.restore(states);
  }
}

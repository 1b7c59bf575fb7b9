import { cannot, PipelineError } from "../errors.ts";
import type { Segment } from "../executor.ts";
import type { Marker } from "../frames/marker.ts";
import type { AnyNode } from "../node.ts";
import type { RunOptions, Source } from "../pipeline.ts";
import { connect, type RestorableSegment } from "../stage/connect.ts";
import type { NodeStats } from "../stats.ts";
import type { Connection, Merge } from "./connection.ts";
import { FanIn } from "./fan_in.ts";
import type { Branch } from "./branch.ts";
import { FanOut } from "./fan_out.ts";
import { Gate } from "./gate.ts";
import { type Chain, chainsOf, isPlain, openEnds, shapeFaults } from "./plan.ts";

/** What a {@linkcode Graph} is made of. */
export interface GraphOptions {
  /** The nodes, by their ids: these are their names in errors and stats. */
  nodes: Readonly<Record<string, AnyNode>>;
  /** Where chunks go from node to node. */
  connections: readonly Connection[];
  /** How chunks are merged, by the id of the node to which several nodes are connected. @default by arrival */
  merge?: Readonly<Record<string, Merge>>;
  /** The node, or nodes, that take what comes in. @default those to which no node is connected */
  input?: string | readonly string[];
  /** The node, or nodes, whose outputs come out. @default those that are connected to no other */
  output?: string | readonly string[];
  /** How chunks of several outputs are merged. @default by arrival */
  outputMerge?: Merge;
}

/** A chain that is connected, and what is in front of it and behind it. */
interface Part {
  chain: Chain;
  segment: RestorableSegment;
}

/**
 * A graph of nodes without cycles as one `{ readable, writable }` pair.
 *
 * Where a node is connected to several others, each gets every chunk (the same object: nodes must not change
 * what they are given) through a bounded branch with a policy of its own. Where several are connected to one
 * node, or are outputs, their chunks are merged by arrival or by timestamp. Runs of nodes between these
 * places run as in a {@linkcode Pipeline}: fused, or as one segment elsewhere. A marker goes along every
 * branch, so it comes out of a merge once for each of them. The failure of any node fails the graph.
 *
 * Between its ends it holds at most {@linkcode Graph.capacity} chunks. Like every stream it is used once.
 *
 * @typeParam I chunks in
 * @typeParam O chunks out
 *
 * @example
 * ```ts
 * import { Graph, Node } from "@remotemedia/sdk";
 *
 * class Times extends Node<number, number, { factor: number }> {
 *   process(input: number): number {
 *     return this.options.factor! * input;
 *   }
 * }
 *
 * const graph = new Graph<number, number>({
 *   nodes: {
 *     start: new Times({ factor: 1 }),
 *     tens: new Times({ factor: 10 }),
 *     hundreds: new Times({ factor: 100 }),
 *   },
 *   connections: [
 *     { from: "start", to: "tens" },
 *     { from: "start", to: "hundreds", policy: "drop-oldest", size: 8 },
 *   ],
 * });
 * const outputs = await Array.fromAsync(graph.run([1, 2]));
 * console.log(outputs.sort((a, b) => a - b)); // [10, 20, 100, 200]
 * ```
 */
export class Graph<I = unknown, O = unknown> implements Segment<I | Marker, O> {
  /** The nodes by their ids, in the order in which they were given. */
  readonly nodes: ReadonlyMap<string, AnyNode>;
  /** Where chunks go from node to node. */
  readonly connections: readonly Connection[];
  /** How chunks are merged, by node. */
  readonly merge: Readonly<Record<string, Merge>>;
  /** The nodes that take what comes in. */
  readonly inputs: readonly string[];
  /** The nodes whose outputs come out. */
  readonly outputs: readonly string[];
  /** How chunks of several outputs are merged; `undefined` by arrival. */
  readonly outputMerge: Merge | undefined;
  readonly #gate = new Gate();
  readonly #parts: readonly Part[];
  readonly #fans: (FanOut | FanIn)[] = [];
  /** The branches that lead to a node, by its id: their drops are told as the node's. */
  readonly #branchesTo = new Map<string, Branch[]>();
  readonly #readable: ReadableStream<unknown>;
  #used = false;
  #stopping: Promise<void> | undefined;
  #interrupting: Promise<void> = Promise.resolve();

  /**
   * Connects the nodes; nothing runs yet.
   *
   * @param options the nodes, and how they are connected
   * @throws {PipelineError} if there is a cycle, a node is not connected, or a name is unknown
   * @throws {TypeError | RangeError} if a connection or merge breaks its rule
   */
  constructor(options: GraphOptions) {
    const { nodes, connections, merge = {}, input, output, outputMerge } = options;
    const ids = Object.keys(nodes);
    const ends = openEnds(ids, connections);
    this.nodes = new Map(Object.entries(nodes));
    this.connections = Object.freeze(connections.map((connection) => ({ ...connection })));
    // without a prototype: a node may be called constructor
    this.merge = Object.freeze(Object.assign(Object.create(null), merge));
    this.inputs = input === undefined ? ends.inputs : [input].flat();
    this.outputs = output === undefined ? ends.outputs : [output].flat();
    this.outputMerge = outputMerge && Object.freeze({ ...outputMerge });
    this.#check();
    const { inputs, outputs } = this;
    this.#parts = chainsOf({ ids, connections, inputs, outputs }).map((chain) => ({
      chain,
      segment: connect(chain.ids.map((id) => nodes[id]!), chain.ids),
    }));
    this.#readable = this.#connect();
  }

  /** Where outputs come out. */
  get readable(): ReadableStream<O> {
    return this.#readable as ReadableStream<O>;
  }

  /** Where inputs go in; markers too. */
  get writable(): WritableStream<I | Marker> {
    return this.#gate.writable as WritableStream<I | Marker>;
  }

  /** The most chunks between its ends when nobody reads: of its nodes, branches and merges. */
  get capacity(): number {
    const inFans = this.#fans.reduce((sum, { capacity }) => sum + capacity, 1);
    return this.#parts.reduce((sum, { segment }) => sum + segment.capacity, inFans);
  }

  /**
   * Reads all of a source through the graph.
   *
   * @param source a stream or an iterable of chunks
   * @param options how to end it early
   * @returns the outputs: `for await` them, or pipe them on
   * @throws {PipelineError} if the graph runs or ran already
   */
  run(source: Source<I | Marker>, { signal }: RunOptions = {}): ReadableStream<O> {
    if (this.#used || this.writable.locked) {
      throw new PipelineError("Cannot run graph twice as its nodes keep state: make a new one");
    }
    this.#used = true;
    const input = source instanceof ReadableStream ? source : ReadableStream.from(source);
    const stop = () => void this.stop(signal!.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    // what fails on the way fails the readable end
    void input.pipeTo(this.writable).catch((reason) => this.stop(reason))
      .finally(() => signal?.removeEventListener("abort", stop));
    return this.readable;
  }

  /**
   * Drops all that went in and is not yet out, here and on other machines, and keeps the graph running: for
   * barge-in. Resolves when nothing of it can come out any more. Markers are kept.
   */
  interrupt(): Promise<void> {
    this.#gate.shut();
    const done = this.#interrupting.then(() => this.#interrupt());
    this.#interrupting = done.catch(() => {}); // told by `done`
    return done;
  }

  /** What each node did so far, in their order; drops of a branch are told as those of the node it leads to. */
  stats(): NodeStats[] {
    const byName = new Map<string, NodeStats[]>();
    for (const { chain, segment } of this.#parts) {
      const all = segment.stats();
      // a node may be a graph of its own, with several stats
      if (all.length === chain.ids.length) {
        for (const [index, id] of chain.ids.entries()) byName.set(id, [all[index]!]);
      } else byName.set(chain.ids[0]!, all);
    }
    for (const [id, branches] of this.#branchesTo) {
      const first = byName.get(id)?.[0];
      if (first === undefined) continue;
      for (const { dropped, depth } of branches) {
        first.dropped += dropped;
        first.queueDepth += depth;
      }
    }
    return [...this.nodes.keys()].flatMap((id) => byName.get(id) ?? []);
  }

  /** Ends the run from outside: both ends fail with `reason`. Resolves when all nodes are closed. */
  stop(reason: unknown): Promise<void> {
    this.#stopping ??= (async () => {
      this.#gate.fail(reason);
      const stopped = this.#parts.map(({ segment }) => segment.stop(reason));
      for (const fan of this.#fans) fan.fail(reason);
      await Promise.all(stopped);
    })();
    return this.#stopping;
  }

  /**
   * Lets the nodes go on from states taken by an earlier run. Before the first chunk.
   *
   * @param states by the nodes' ids; also by those of graphs in it
   * @throws {PipelineError} if the nodes are open already, or run where no state can be brought to
   */
  restore(states: ReadonlyMap<string, unknown>): void {
    for (const { segment } of this.#parts) segment.restore(states);
  }

  #check(): void {
    const { nodes, connections, inputs, outputs, merge } = this;
    if (nodes.size === 0) throw new PipelineError("Cannot build graph as it must have a node");
    if (new Set(nodes.values()).size !== nodes.size) {
      throw new PipelineError("Cannot build graph as a node must not be in it twice");
    }
    const [fault] = shapeFaults({ ids: [...nodes.keys()], connections, inputs, outputs });
    if (fault !== undefined) throw new PipelineError(fault.message);
    for (const { from, to, policy = "block", size = 1, every = 1 } of connections) {
      const action = `connect ${from} to ${to}`;
      if (!["block", "drop-oldest", "drop-newest", "sample"].includes(policy)) {
        const rule = "policy must be block, drop-oldest, drop-newest or sample";
        throw new TypeError(cannot(action, { rule, value: policy }));
      }
      for (const [name, value] of Object.entries({ size, every })) {
        if (Number.isSafeInteger(value) && value >= 1) continue;
        throw new RangeError(
          cannot(action, { rule: `${name} must be a whole number of at least 1`, value }),
        );
      }
    }
    for (const [id, each] of Object.entries(merge)) {
      const action = `merge in front of ${id}`;
      if (!nodes.has(id)) throw new PipelineError(`Cannot ${action} as there is no such node`);
      checkMerge(each, action);
    }
    if (this.outputMerge !== undefined) checkMerge(this.outputMerge, "merge outputs");
  }

  /** Joins the chains, and gives the readable end. */
  #connect(): ReadableStream<unknown> {
    /** What comes to each chain's first node, and to the output: `undefined` is the graph's end. */
    const arriving = new Map<string | undefined, ReadableStream<unknown>[]>();
    const arrive = (to: string | undefined, readable: ReadableStream<unknown>) => {
      arriving.set(to, [...arriving.get(to) ?? [], readable]);
    };
    const leave = (readable: ReadableStream<unknown>, to: (Connection | string | undefined)[]) => {
      const targets = to.map((target) => typeof target === "object" ? target.to : target);
      const plain = to.length === 1 && (typeof to[0] !== "object" || isPlain(to[0]));
      if (plain) return arrive(targets[0], readable);
      const fan = new FanOut(to.map((target) => typeof target === "object" ? target : {}));
      this.#fans.push(fan);
      this.#pipe(readable, fan.writable);
      for (const [index, branch] of fan.branches.entries()) {
        const target = targets[index];
        arrive(target, branch.readable);
        if (target !== undefined) {
          this.#branchesTo.set(target, [...this.#branchesTo.get(target) ?? [], branch]);
        }
      }
    };
    leave(this.#gate.readable, [...this.inputs]);
    for (const { chain, segment } of this.#parts) {
      leave(segment.readable, [...chain.to, ...(chain.isOutput ? [undefined] : [])]);
    }
    for (const { chain: { ids }, segment } of this.#parts) {
      this.#pipe(this.#join(arriving.get(ids[0])!, this.merge[ids[0]!]), segment.writable);
    }
    return this.#join(arriving.get(undefined)!, this.outputMerge);
  }

  #join(sources: readonly ReadableStream<unknown>[], merge?: Merge): ReadableStream<unknown> {
    if (sources.length === 1) return sources[0]!;
    const fan = new FanIn(sources.length, merge);
    this.#fans.push(fan);
    for (const [index, source] of sources.entries()) this.#pipe(source, fan.writables[index]!);
    return fan.readable;
  }

  /** Joins two ends; whatever fails on the way fails the graph. */
  #pipe(from: ReadableStream<unknown>, to: WritableStream<unknown>): void {
    void from.pipeTo(to).catch((reason) => this.stop(reason));
  }

  /**
   * What is on its way between the parts arrives within one turn of the event loop, at places that drop it.
   * What the nodes give instead comes later than the second turn, as they wait for one of their own.
   */
  async #interrupt(): Promise<void> {
    try {
      for (const fan of this.#fans) fan.drop();
      await turn();
      for (const fan of this.#fans) fan.drop();
      const second = turn().then(() => {
        for (const fan of this.#fans) fan.resume();
      });
      await Promise.all([second, ...this.#parts.map(({ segment }) => segment.interrupt())]);
    } finally {
      this.#gate.open();
    }
  }
}

function checkMerge({ order = "arrival", maxWaitMs = 0 }: Merge, action: string): void {
  if (order !== "arrival" && order !== "timestamp") {
    throw new TypeError(
      cannot(action, { rule: "order must be arrival or timestamp", value: order }),
    );
  }
  if (!(maxWaitMs >= 0)) {
    throw new RangeError(
      cannot(action, { rule: "maxWaitMs must not be negative", value: maxWaitMs }),
    );
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

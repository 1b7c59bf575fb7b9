import { cannot, PipelineError } from "../../core/errors.ts";
import type { Executor, NodeSpec, Segment } from "../../core/executor.ts";
import { connect } from "../../core/stage/connect.ts";
import { HostSegment } from "../sandbox/_host_segment.ts";
import { NodeElsewhere } from "../sandbox/host/node_elsewhere.ts";
import { SpreadSegment } from "./_spread_segment.ts";
import { Thread } from "./_thread.ts";

/** Options of a {@linkcode ThreadExecutor}. */
export interface ThreadExecutorOptions {
  /** How many Web Workers there are at the most. @default as many as the machine has cores */
  threads?: number;
  /**
   * Whether the samples and bytes of frames are given to a thread instead of copied: who gave a frame to it,
   * or kept one that came out of a node there, finds it empty then.
   *
   * @default true
   */
  transfer?: boolean;
  /** What it is called in errors and pictures. @default "threads" */
  name?: string;
}

/**
 * Runs nodes in Web Workers of this process, so that a pipeline uses every core: neighbours each in a thread
 * of their own, and a stateless node with `concurrency: n` in up to n threads at once, with its outputs in
 * order. For code that is trusted: it has the rights of this process.
 *
 * A user's class must be exported by its module and say where that is: `static readonly module =
 * import.meta.url`; the module is imported again in each thread. Built-in nodes need nothing.
 *
 * @example
 * ```ts
 * import { PassThrough, Pipeline, ThreadExecutor } from "@remotemedia/sdk";
 *
 * await using executor = new ThreadExecutor({ threads: 2 });
 * const pipeline = new Pipeline([new PassThrough({}, { executor })]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2, 3]))); // [1, 2, 3]
 * ```
 */
export class ThreadExecutor implements Executor, AsyncDisposable {
  /** What it is called in errors and pictures. */
  readonly name: string;
  /** How many Web Workers there are at the most. */
  readonly threads: number;
  readonly #transfer: boolean;
  #running: Thread[] = [];
  #closed = false;

  /**
   * Threads start when the first segment opens.
   *
   * @param options how many threads
   * @throws {RangeError} if `threads` is no whole number of at least 1
   */
  constructor(options: ThreadExecutorOptions = {}) {
    const { threads = navigator.hardwareConcurrency, transfer = true, name = "threads" } = options;
    if (!Number.isSafeInteger(threads) || threads < 1) {
      const rule = "threads must be a whole number of at least 1";
      throw new RangeError(cannot("create ThreadExecutor", { rule, value: threads }));
    }
    this.name = name;
    this.threads = threads;
    this.#transfer = transfer;
  }

  /** Starts nodes as one segment; see `Executor.open`. @throws {PipelineError} if it is closed */
  open(nodes: readonly NodeSpec[]): Segment {
    if (this.#closed) throw new PipelineError(`Cannot run nodes in ${this.name} as it is closed`);
    const groups = divide(nodes, this.threads);
    if (groups.length === 1) return this.#openGroup(groups[0]!);
    return connect(groups.flatMap((group) => {
      const executor: Executor = { name: this.name, open: (some) => this.#openGroup(some) };
      return group.map((spec) => new NodeElsewhere(spec, executor));
    }));
  }

  /** Ends all threads; what they run fails. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const reason = new PipelineError(`The executor ${this.name} was closed`);
    for (const thread of this.#running) thread.end(reason);
    this.#running = [];
    return Promise.resolve();
  }

  #openGroup(group: readonly NodeSpec[]): Segment {
    const [first] = group;
    const { concurrency = 1 } = first!;
    const shares = group.length === 1 ? Math.min(concurrency, this.threads) : 1;
    if (shares === 1) return this.#openShare(group);
    const share = { ...first!, concurrency: Math.ceil(concurrency / shares) };
    return new SpreadSegment(Array.from({ length: shares }, () => this.#openShare([share])));
  }

  #openShare(nodes: readonly NodeSpec[]): Segment {
    return new HostSegment(nodes, (segment, states) => {
      if (this.#closed) {
        return Promise.reject(new PipelineError(`The executor ${this.name} was closed`));
      }
      return Promise.resolve(this.#leastLoaded().place(segment, nodes, states));
    });
  }

  #leastLoaded(): Thread {
    this.#running = this.#running.filter(({ ended }) => !ended);
    const idle = this.#running.find(({ load }) => load === 0);
    if (idle !== undefined) return idle;
    if (this.#running.length < this.threads) {
      const thread = new Thread(this.#transfer);
      this.#running.push(thread);
      return thread;
    }
    return this.#running.reduce((least, thread) => thread.load < least.load ? thread : least);
  }
}

/** Neighbours in as many groups as there are threads, each node with a concurrency in one of its own. */
function divide(nodes: readonly NodeSpec[], threads: number): NodeSpec[][] {
  const size = Math.ceil(nodes.length / threads);
  const groups: NodeSpec[][] = [];
  let last: NodeSpec[] = [];
  for (const node of nodes) {
    const alone = (node.concurrency ?? 1) > 1;
    if (alone || last.length >= size || groups.length === 0 || (last[0]?.concurrency ?? 1) > 1) {
      groups.push(last = []);
    }
    last.push(node);
  }
  return groups;
}

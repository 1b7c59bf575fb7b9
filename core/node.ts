import { cannot } from "./errors.ts";
import type { Executor, NodeSpec, QueueConfig, Segment } from "./executor.ts";
import type { Marker } from "./frames/marker.ts";
import type { Logger } from "./log.ts";
import type { NodeFormats } from "./manifest/formats.ts";
import { type OptionsSchema, parseOptions } from "./options.ts";
import { connect } from "./stage/connect.ts";
import type { NodeStats } from "./stats.ts";

/**
 * What a node's methods may give: one chunk, `undefined` for none, a generator (sync or async) of any
 * number, or a promise of any of these.
 */
export type NodeOutput<O> =
  | O
  | undefined
  | void
  | PromiseLike<O | undefined | void | Iterator<O, unknown> | AsyncIterator<O, unknown>>
  | Iterator<O, unknown>
  | AsyncIterator<O, unknown>;

/** What is the same for all nodes. */
export interface NodeConfig {
  /** The name in errors, stats and pictures. @default the type's name */
  name?: string;
  /** Where it runs. @default here */
  executor?: Executor;
  /** How many chunks `process()` works on at once; outputs stay in order. For stateless nodes. @default 1 */
  concurrency?: number;
  /** A queue in front of the node. @default none but the one chunk that the stream holds */
  queue?: QueueConfig;
}

/** What a node gets to know when it opens. */
export interface NodeContext {
  /** The node's name in its pipeline. */
  readonly name: string;
  /** Aborted when the stream is cancelled or fails: pass it to whatever waits. */
  readonly signal: AbortSignal;
  /** Logs under `["remotemedia", "node", name]`. */
  readonly log: Logger;
  /**
   * Asks for a call of {@linkcode Node.onWake}, from a timer for example: it comes between two chunks, and not
   * once the end of the stream was reached. Asking again before it came changes nothing.
   */
  wake(): void;
}

/** A class of nodes, as registries hold it. */
export interface NodeClass {
  /** Makes one. */
  new (options?: never, config?: NodeConfig): AnyNode;
  /** The name of the class. */
  readonly name: string;
  /** The type's name in a registry. @default the class's name */
  readonly type?: string;
  /** What options there are. */
  readonly options?: OptionsSchema;
  /** Where user code lives, so that it can travel: `import.meta.url`. */
  readonly module?: string;
  /**
   * What its nodes reach beside chunks: `read`, `write`, `net`, `run` (programs), `code` (foreign code). A
   * server offers such a type only to clients whose policy names it. @default nothing
   */
  readonly access?: readonly string[];
  /** Whether it keeps nothing between chunks, so that it can go on elsewhere without a snapshot. */
  readonly stateless?: boolean;
  /** What a node with these options takes and gives, as far as it is known before anything runs. */
  formats?(options: never): NodeFormats;
}

/** A node whatever goes in and comes out. */
export type AnyNode = Node<never, unknown, object, never>;

/** Chunks that a node takes. */
export type InputOf<N> = N extends Node<infer I, unknown, infer _P, infer _Q> ? I : never;

/** Chunks that a node gives. */
export type OutputOf<N> = N extends Node<never, infer O, infer _P, infer _Q> ? O : never;

/**
 * A step of a pipeline: a `TransformStream` whose work is done in {@linkcode Node.process}.
 *
 * `open()` is called once before the first chunk, `flush()` once at the end of the stream, and `close()`
 * always, exactly once, however the stream ends. No two of `open`, `process`, `onMarker`, `onWake`, `snapshot`
 * and `flush` run at the same time, unless `concurrency` lets several `process()` do so. What they throw fails
 * the stream with a `NodeError`.
 *
 * A {@linkcode Marker} in the stream is not given to `process()`; it passes in its place.
 *
 * @typeParam I chunks in
 * @typeParam O chunks out
 * @typeParam Options the node's options as it sees them, defaults filled in
 * @typeParam Input the options as a user writes them
 *
 * @example
 * ```ts
 * import { Node } from "@remotemedia/sdk";
 *
 * class Double extends Node<number, number> {
 *   process(input: number): number {
 *     return 2 * input;
 *   }
 * }
 *
 * const doubled = ReadableStream.from([1, 2, 3]).pipeThrough(new Double());
 * console.log(await Array.fromAsync(doubled)); // [2, 4, 6]
 * ```
 */
export abstract class Node<
  I,
  O,
  Options extends object = object,
  Input extends object = Partial<Options>,
> extends TransformStream<I, O> {
  /** The type's name in manifests and registries; the class's own name where absent. */
  static readonly type?: string;
  /** Checks and completes the options; gives manifests their JSON Schema and the docs their table. */
  static readonly options?: OptionsSchema;
  /** Where user code lives, so that it can travel: `import.meta.url`. */
  static readonly module?: string;
  /** What its nodes reach beside chunks: see {@linkcode NodeClass.access}. */
  static readonly access?: readonly string[];
  /**
   * Says that nodes of this class keep nothing between chunks. On a server that dies, such a node goes on
   * elsewhere by getting its last inputs again; one with a state needs `snapshot()` and `restore()`.
   * @default false
   */
  static readonly stateless?: boolean;

  /** The options, checked and completed. */
  readonly options: Readonly<Options>;
  /** What is the same for all nodes. */
  readonly config: Readonly<NodeConfig>;
  #segment: Segment<I, O> | undefined;

  /**
   * Checks the options; nothing runs yet.
   *
   * @param options the node's own
   * @param config what is the same for all nodes
   * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
   */
  constructor(options: Input = {} as Input, config: NodeConfig = {}) {
    super();
    this.options = parseOptions(this.type, new.target.options, options) as Options;
    this.config = checkConfig(this.type, config);
  }

  /** The type's name. */
  get type(): string {
    const { type, name } = this.constructor as unknown as NodeClass;
    return type ?? name;
  }

  /** The name in errors, stats and pictures. */
  get name(): string {
    return this.config.name ?? this.type;
  }

  /** Where outputs come out, when the node is used on its own. */
  override get readable(): ReadableStream<O> {
    return this.#alone().readable;
  }

  /** Where inputs go in, when the node is used on its own. */
  override get writable(): WritableStream<I> {
    return this.#alone().writable;
  }

  /** Drops what is queued, when the node is used on its own. See `Pipeline.interrupt()`. */
  interrupt(): Promise<void> {
    return this.#alone().interrupt();
  }

  /** What the node did so far, when it is used on its own. See `Pipeline.stats()`. */
  stats(): NodeStats[] {
    return this.#alone().stats();
  }

  /** This node as data: enough to make it again elsewhere. */
  toSpec(): NodeSpec {
    const { concurrency, queue } = this.config;
    const { module } = this.constructor as unknown as NodeClass;
    return {
      name: this.name,
      type: this.type,
      options: this.options as Record<string, unknown>,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(queue === undefined ? {} : { queue }),
      ...(module === undefined ? {} : { module }),
      ...resumeBy(this),
    };
  }

  /** Takes one chunk, gives any number. */
  abstract process(input: I): NodeOutput<O>;

  /** Called once before the first chunk: load models here. */
  open?(context: NodeContext): void | Promise<void>;

  /** Called once at the end of the stream; may give what is left. */
  flush?(): NodeOutput<O>;

  /**
   * Called exactly once, after everything else.
   *
   * @param reason why the stream ended; `undefined` when it simply did
   */
  close?(reason: unknown): void | Promise<void>;

  /** Called when a marker passes, before it goes on. */
  onMarker?(marker: Marker): void | Promise<void>;

  /**
   * Called at once when the stream is interrupted, even while `process()` works: forget what is kept of
   * the past, end what is running. What it gives goes on instead of what was dropped.
   */
  onInterrupt?(): NodeOutput<O>;

  /**
   * Called after `context.wake()`, when no chunk is worked on: what it gives goes on, although no chunk came.
   * Chunks that come meanwhile wait.
   */
  onWake?(): NodeOutput<O>;

  /**
   * The state from which {@linkcode Node.restore} goes on: any value that can travel, which is copied at once,
   * so what the node itself works with may be given.
   */
  snapshot?(): unknown;

  /** Goes on from a snapshot of another instance with the same options; called after `open()`. */
  restore?(state: unknown): void | Promise<void>;

  #alone(): Segment<I, O> {
    this.#segment ??= connect([this]) as Segment<I, O>;
    return this.#segment;
  }
}

/** The config, checked. */
function checkConfig(type: string, config: NodeConfig): NodeConfig {
  const action = `create ${type}`;
  const { name, concurrency, queue } = config;
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw new TypeError(cannot(action, { rule: "config.name must be a text", value: name }));
  }
  if (concurrency !== undefined && !isCount(concurrency)) {
    const rule = "config.concurrency must be a whole number of at least 1";
    throw new RangeError(cannot(action, { rule, value: concurrency }));
  }
  if (queue !== undefined) {
    if (!isCount(queue.size)) {
      const rule = "config.queue.size must be a whole number of at least 1";
      throw new RangeError(cannot(action, { rule, value: queue.size }));
    }
    const { overflow = "block" } = queue;
    if (!["block", "drop-oldest", "drop-newest"].includes(overflow)) {
      const rule = "config.queue.overflow must be block, drop-oldest or drop-newest";
      throw new TypeError(cannot(action, { rule, value: overflow }));
    }
  }
  return Object.freeze({ ...config });
}

/** How a node goes on elsewhere, if it can. */
function resumeBy(node: AnyNode): Pick<NodeSpec, "resume"> {
  if (node.snapshot !== undefined && node.restore !== undefined) return { resume: "snapshot" };
  return (node.constructor as unknown as NodeClass).stateless === true ? { resume: "replay" } : {};
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && value as number >= 1;
}

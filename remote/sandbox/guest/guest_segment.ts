import { ConfigurationError } from "../../../core/errors.ts";
import type { NodeSpec } from "../../../core/executor.ts";
import { type AnyNode, Node, type NodeClass, type NodeConfig } from "../../../core/node.ts";
import { Barrier } from "../../../core/stage/barrier.ts";
import { connect, type RestorableSegment } from "../../../core/stage/connect.ts";
import { errorOf, type Failure, failureOf } from "../failure.ts";
import { type FunctionKind, FunctionNode } from "../../../nodes/code/function_node.ts";
import type { Entry, GuestMessage } from "../protocol.ts";
import { bytesOf, isKept, takeBatch, type Wire } from "../_wire.ts";

/** The exports of a module. */
export type Exports = Readonly<Record<string, unknown>>;

/** After so many inputs, or so many bytes of them, the host is told: a part of its window. */
const CREDIT_CHUNKS = 16;
const CREDIT_BYTES = 1 << 20;

/** With so many bytes of outputs that are not sent yet, the nodes wait. */
const UNSENT_BYTES = 8 << 20;

/** What a segment is made of. */
export interface GuestSegmentInit {
  /** The nodes, in their order. */
  nodes: NodeSpec[];
  /** The states to go on from. */
  states: Map<string, unknown> | undefined;
  /** The exports of the module that a node is of. */
  exportsOf: (spec: NodeSpec) => Exports;
  /** To the host. */
  wire: Wire<GuestMessage>;
}

/**
 * A segment in the guest: core's own machinery between two queues. The host bounds the first by its
 * window of inputs, and the second by its credit for outputs.
 */
export class GuestSegment {
  readonly #id: number;
  readonly #wire: Wire<GuestMessage>;
  readonly #segment: RestorableSegment;
  #inputs: Entry[] = [];
  #ended = false;
  #input!: ReadableStreamDefaultController<unknown>;
  #wanted = false;
  #consumed = 0;
  #consumedBytes = 0;
  #outputs: Entry[] = [];
  #credit = 0;
  #outputBytes = 0;
  /** There is credit, or room among the outputs: whoever waits for it looks again. */
  #room: (() => void) | undefined;
  #stopped = false;
  #over = false;

  /** @param id the host's number for it; @param init what it is made of */
  constructor(id: number, { nodes, states, exportsOf, wire }: GuestSegmentInit) {
    this.#id = id;
    this.#wire = wire;
    this.#segment = connect(nodes.map((spec) => make(spec, exportsOf(spec))));
    if (states !== undefined) this.#segment.restore(states);
  }

  /** How many chunks its nodes hold. */
  get capacity(): number {
    return this.#segment.capacity;
  }

  /** Takes inputs. */
  accept(entries: readonly Entry[]): void {
    this.#inputs.push(...entries);
    this.#feed();
  }

  /** There are no more inputs. */
  end(): void {
    this.#ended = true;
    this.#feed();
  }

  /** The host takes so many more outputs. */
  credit(count: number): void {
    this.#credit += count;
    this.#room?.();
  }

  /** Drops what is queued and worked on. */
  async interrupt(id: number): Promise<void> {
    const before = this.#inputs.length;
    this.#inputs = this.#inputs.filter(isKept);
    this.#consumed += before - this.#inputs.length;
    this.#outputs = this.#outputs.filter(isKept);
    this.#countOutputs();
    this.#room?.();
    await this.#segment.interrupt();
    this.#say({ type: "interrupted", segment: this.#id, id });
    this.#wire.schedule(this.#creditSource);
  }

  /** Ends it now. */
  async stop(failure: Failure): Promise<void> {
    this.#stopped = true;
    this.#room?.();
    await this.#segment.stop(errorOf(failure));
  }

  /** Tells what its nodes did. */
  tellStats(): void {
    this.#say({ type: "stats", segment: this.#id, stats: this.#segment.stats() });
  }

  /** Sends outputs until there are no more. Never fails: the host is told. */
  async run(): Promise<void> {
    const source = new ReadableStream<unknown>({
      start: (controller) => {
        this.#input = controller;
      },
      pull: () => {
        this.#wanted = true;
        this.#feed();
      },
    }, { highWaterMark: 0 });
    void this.#segment.feed(source);
    const reader = this.#segment.readable.getReader();
    try {
      while (true) {
        while ((this.#credit === 0 || this.#outputBytes > UNSENT_BYTES) && !this.#stopped) {
          await new Promise<void>((resolve) => this.#room = resolve);
        }
        const { done, value } = await reader.read();
        if (done) break;
        this.#credit--;
        const entry = entryOf(value);
        this.#outputs.push(entry);
        this.#outputBytes += bytesOf(entry);
        this.#wire.schedule(this.#outputSource);
      }
      this.#finish({ type: "ended", segment: this.#id, stats: this.#segment.stats() });
    } catch (error) {
      await this.#segment.stop(error);
      const stats = this.#segment.stats();
      this.#finish({ type: "failed", segment: this.#id, failure: failureOf(error), stats });
    }
  }

  /** Sends a message behind the outputs that came before it. */
  #say(message: GuestMessage): void {
    if (this.#over) return;
    try {
      for (
        let outputs = this.#nextOutputs();
        outputs !== undefined;
        outputs = this.#nextOutputs()
      ) {
        this.#wire.send(outputs);
      }
      this.#wire.send(message);
    } catch (error) {
      const failure = failureOf(error);
      this.#wire.send({ type: "failed", segment: this.#id, failure, stats: [] });
      this.#over = true;
    }
  }

  #finish(message: GuestMessage): void {
    this.#say(message);
    this.#over = true;
  }

  readonly #outputSource = {
    next: (): GuestMessage | undefined => {
      const message = this.#nextOutputs();
      if (this.#outputs.length > 0) this.#wire.schedule(this.#outputSource);
      return message;
    },
    failed: (error: unknown): void => void this.#segment.stop(error),
  };

  #nextOutputs(): GuestMessage | undefined {
    if (this.#outputs.length === 0 || this.#over) return undefined;
    const entries = takeBatch(this.#outputs);
    this.#countOutputs();
    this.#room?.();
    return { type: "outputs", segment: this.#id, entries };
  }

  #countOutputs(): void {
    this.#outputBytes = this.#outputs.reduce((sum, entry) => sum + bytesOf(entry), 0);
  }

  readonly #creditSource = {
    next: (): GuestMessage | undefined => {
      const count = this.#consumed;
      if (count === 0 || this.#over) return undefined;
      this.#consumed = 0;
      this.#consumedBytes = 0;
      return { type: "credit", segment: this.#id, count };
    },
    failed: (error: unknown): void => void this.#segment.stop(error),
  };

  #feed(): void {
    if (!this.#wanted) return;
    const entry = this.#inputs.shift();
    if (entry !== undefined) {
      this.#wanted = false;
      this.#consumed++;
      this.#consumedBytes += bytesOf(entry);
      if (this.#consumed >= CREDIT_CHUNKS || this.#consumedBytes >= CREDIT_BYTES) {
        this.#wire.schedule(this.#creditSource);
      }
      this.#input.enqueue(chunkOf(entry));
    } else if (this.#ended) {
      this.#wanted = false;
      this.#input.close();
    }
  }
}

/** Makes the node of an exported class. */
function make(spec: NodeSpec, exports: Exports): AnyNode {
  const { type, name, options, concurrency, queue } = spec;
  if (type === "map" || type === "filter") return functionOf(spec, { kind: type, exports });
  const exported = Object.hasOwn(exports, type)
    ? exports[type]
    : Object.values(exports).find((value) => isNodeClass(value) && value.type === type);
  if (!isNodeClass(exported)) {
    throw new ConfigurationError(
      `Cannot make node "${name}" as its module exports no node class ${type}: ` +
        `it exports ${Object.keys(exports).join(", ") || "nothing"}`,
    );
  }
  return new exported(options as never, { name, concurrency, queue } as NodeConfig);
}

/** Makes the node of an exported function. */
function functionOf(
  { name, options, concurrency, queue }: NodeSpec,
  { kind, exports }: { kind: FunctionKind; exports: Exports },
): AnyNode {
  const work = exports[String(options.export)];
  if (typeof work !== "function") {
    throw new ConfigurationError(
      `Cannot make node "${name}" as its module exports no function ${options.export}: ` +
        `it exports ${Object.keys(exports).join(", ") || "nothing"}`,
    );
  }
  const config = { name, concurrency, queue } as NodeConfig;
  return new FunctionNode(work as never, { kind, export: String(options.export) }, config);
}

function isNodeClass(value: unknown): value is NodeClass {
  return typeof value === "function" && value.prototype instanceof Node;
}

function chunkOf(entry: Entry): unknown {
  switch (entry.kind) {
    case "chunk":
      return entry.value;
    case "barrier":
      return new Barrier(entry.sequence, { snapshot: entry.snapshot });
  }
}

function entryOf(value: unknown): Entry {
  if (!(value instanceof Barrier)) return { kind: "chunk", value };
  const { sequence, snapshot, states, counts } = value;
  return { kind: "barrier", sequence, snapshot, states, counts };
}

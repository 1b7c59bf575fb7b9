import { decodeValue, encodeValue } from "../codec/mod.ts";
import { NodeError, type NodePhase, PipelineError } from "../errors.ts";
import type { Marker } from "../frames/marker.ts";
import { loggerFor } from "../log.ts";
import type { AnyNode, NodeOutput } from "../node.ts";
import { LatencyHistogram, type NodeCounts, type NodeStats } from "../stats.ts";
import { isDeferred } from "./_outputs.ts";
import { Barrier } from "./barrier.ts";

/** Fast nodes are timed once in this many chunks: reading the clock costs as much as they do. */
const SAMPLE = 64;

/** From here on, in ms, a node is slow enough to time each chunk. */
const SLOW_MS = 0.05;

/** A state as it is now, whatever the node does with it later. @throws {SerializationError} if it cannot travel */
function copyOf(state: unknown): unknown {
  return decodeValue(encodeValue(state), { maxItems: Infinity });
}

/** A node in its place: calls its methods, counts, times, and names it in what it throws. */
export class NodeSlot {
  readonly name: string;
  readonly node: AnyNode;
  out = 0;
  dropped = 0;
  #in = 0;
  #errors = 0;
  #busyMs = 0;
  #timeEach = false;
  #lastTimed = -1;
  #closed = false;
  readonly #latency = new LatencyHistogram();

  constructor(node: AnyNode, name: string) {
    this.node = node;
    this.name = name;
  }

  /** The index of the chunk that was given last. */
  get lastIndex(): number {
    return this.#in - 1;
  }

  /** Opens the node. It calls `wake` when it wants {@linkcode NodeSlot.wake} to be called. */
  async open(
    { signal, state, wake }: { signal: AbortSignal; state: unknown; wake: () => void },
  ): Promise<void> {
    const { node, name } = this;
    try {
      await node.open?.({ name, signal, log: loggerFor("node", name), wake });
    } catch (cause) {
      throw this.failure("open", cause);
    }
    if (state === undefined) return;
    if (node.restore === undefined) {
      throw this.failure("restore", new PipelineError("the node has no restore()"));
    }
    try {
      await node.restore(state);
    } catch (cause) {
      throw this.failure("restore", cause);
    }
  }

  process(chunk: unknown): NodeOutput<unknown> {
    if (this.#in % SAMPLE === 0 || this.#timeEach) return this.#processTimed(chunk);
    const index = this.#in++;
    try {
      return this.node.process(chunk as never);
    } catch (cause) {
      throw this.failure("process", cause, index);
    }
  }

  #processTimed(chunk: unknown): NodeOutput<unknown> {
    const index = this.#in++;
    const start = performance.now();
    let output: NodeOutput<unknown>;
    try {
      output = this.node.process(chunk as never);
    } catch (cause) {
      throw this.failure("process", cause, index);
    }
    const stoodFor = index - this.#lastTimed; // itself, and those since the last that was timed
    this.#lastTimed = index;
    if (isDeferred(output)) return output; // whoever waits for it records the time
    const ms = performance.now() - start;
    this.record(ms, stoodFor);
    this.#timeEach = ms > SLOW_MS;
    return output;
  }

  /** Counts the time that a chunk took, or that `weight` chunks took each. */
  record(ms: number, weight = 1): void {
    this.#busyMs += ms * weight;
    this.#latency.record(ms, weight);
  }

  /** A marker passes. @param lastIndex of the chunk before it, where later ones are worked on already */
  mark(marker: Marker, lastIndex = this.lastIndex): void | Promise<void> {
    const { node } = this;
    if (marker instanceof Barrier) {
      marker.counts.set(this.name, { ...this.#counts(), in: lastIndex + 1 });
      if (!marker.snapshot || node.snapshot === undefined) return;
      try {
        marker.states.set(this.name, copyOf(node.snapshot()));
      } catch (cause) {
        throw this.failure("snapshot", cause);
      }
      return;
    }
    if (node.onMarker === undefined) return;
    try {
      return node.onMarker(marker)?.catch((cause: unknown) => {
        throw this.failure("marker", cause);
      });
    } catch (cause) {
      throw this.failure("marker", cause);
    }
  }

  flush(): NodeOutput<unknown> {
    try {
      return this.node.flush?.();
    } catch (cause) {
      throw this.failure("flush", cause);
    }
  }

  interrupt(): NodeOutput<unknown> {
    try {
      return this.node.onInterrupt?.();
    } catch (cause) {
      throw this.failure("interrupt", cause);
    }
  }

  wake(): NodeOutput<unknown> {
    try {
      return this.node.onWake?.();
    } catch (cause) {
      throw this.failure("wake", cause);
    }
  }

  /** Closes the node, the first time that it is called. */
  async close(reason: unknown): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.node.close?.(reason);
    } catch (cause) {
      throw this.failure("close", cause);
    }
  }

  /** What was thrown, with the node's name on it. */
  failure(phase: NodePhase, cause: unknown, chunkIndex?: number): NodeError {
    this.#errors++;
    return new NodeError({
      node: this.name,
      phase,
      cause,
      ...(phase === "process" && { chunkIndex }),
    });
  }

  stats(queueDepth: number): NodeStats {
    return {
      name: this.name,
      type: this.node.type,
      ...this.#counts(),
      latency: this.#latency.summary(),
      queueDepth,
    };
  }
  #counts(): NodeCounts {
    const { out, dropped } = this;
    return { in: this.#in, out, dropped, errors: this.#errors, busyMs: this.#busyMs };
  }
}

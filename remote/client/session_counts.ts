import type { NodeSpec } from "../../core/executor.ts";
import type { NodeCounts, NodeStats } from "../../core/stats.ts";
import type { NodeStats as StatsMessage } from "../../proto/gen/remotemedia/v1/node_pb.ts";
import { readStats } from "../wire/messages.ts";

const NOTHING: NodeCounts = { in: 0, out: 0, dropped: 0, errors: 0, busyMs: 0 };

/**
 * What the nodes of a session did, over all of its connections: each server counts from 0, and what is worked on
 * again counts once. Latencies are those of the last connection.
 */
export class SessionCounts {
  /** Up to where this connection went on, by node name; and up to where the next would. */
  #before: ReadonlyMap<string, NodeCounts> = new Map();
  #reached: ReadonlyMap<string, NodeCounts> = new Map();
  #stats: NodeStats[];

  /** @param specs the nodes, which have done nothing yet */
  constructor(specs: readonly NodeSpec[]) {
    const latency = { p50: 0, p95: 0, p99: 0 };
    this.#stats = specs.map(({ name, type }) => ({
      name,
      type,
      ...NOTHING,
      latency,
      queueDepth: 0,
    }));
  }

  /** As last told. */
  get stats(): NodeStats[] {
    return this.#stats;
  }

  /** How many chunks a node was given before this connection. */
  chunksBefore(node: string): number {
    return this.#before.get(node)?.in ?? 0;
  }

  /** The server told what its nodes did. */
  accept(nodes: readonly StatsMessage[]): void {
    this.#stats = nodes.map((node) => this.#total(readStats(node)));
  }

  /** The session can go on from where the nodes had done this. */
  reach(counts: readonly StatsMessage[]): void {
    this.#reached = new Map(counts.map((node) => [node.name, this.#total(readStats(node))]));
  }

  /** The session goes on with a connection more. */
  reconnect(): void {
    this.#before = this.#reached;
  }

  #total(stats: NodeStats): NodeStats {
    const before = this.#before.get(stats.name) ?? NOTHING;
    return {
      ...stats,
      in: before.in + stats.in,
      out: before.out + stats.out,
      dropped: before.dropped + stats.dropped,
      errors: before.errors + stats.errors,
      busyMs: before.busyMs + stats.busyMs,
    };
  }
}

import type { NodeCounts } from "../stats.ts";
import { Marker } from "../frames/marker.ts";

/**
 * A marker of the engine's own. When it comes out at the end of a segment, everything written before it
 * has been worked on and is out. If it asks for snapshots, each node's state is taken as it passes, so
 * the states belong to one point of the stream (Chandy and Lamport, 1985, "Distributed Snapshots").
 * Nodes do not see it, and an interrupt does not drop it.
 */
export class Barrier extends Marker {
  /** The sequence number of the last input before it. */
  readonly sequence: number;
  /** Whether nodes are asked for their state. */
  readonly snapshot: boolean;
  /** The states taken so far, by node name. */
  readonly states: Map<string, unknown> = new Map();
  /** What the nodes that it passed did up to it, by node name. */
  readonly counts: Map<string, NodeCounts> = new Map();

  /** @param sequence the last input before it; @param options whether states are to be taken */
  constructor(sequence: number, { snapshot = false }: { snapshot?: boolean } = {}) {
    super({ name: "remotemedia.barrier" });
    this.sequence = sequence;
    this.snapshot = snapshot;
  }
}

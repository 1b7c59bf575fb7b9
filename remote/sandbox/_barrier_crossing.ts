import { Barrier } from "../../core/stage/barrier.ts";
import type { Entry } from "./protocol.ts";

/**
 * Takes barriers of the engine through a guest: what goes in there is a copy, and when that comes out, the barrier
 * itself goes on here with the states and counts of the guest's nodes. They are as many as inputs may be on their way.
 */
export class BarrierCrossing {
  readonly #nodes: ReadonlySet<string>;
  /** Those that are on their way, in their order. */
  readonly #crossing: Barrier[] = [];

  /** @param nodes the names of the guest's nodes */
  constructor(nodes: Iterable<string>) {
    this.#nodes = new Set(nodes);
  }

  /** A chunk or barrier as it goes to the guest. */
  entryOf(chunk: unknown): Entry {
    if (!(chunk instanceof Barrier)) return { kind: "chunk", value: chunk };
    this.#crossing.push(chunk);
    const { sequence, snapshot } = chunk;
    return { kind: "barrier", sequence, snapshot, states: new Map(), counts: new Map() };
  }

  /**
   * What came out of the guest.
   *
   * @throws {Error} if it is a barrier that did not go in, or tells states of nodes that are not the guest's
   */
  chunkOf(entry: Entry): unknown {
    if (entry.kind === "chunk") return entry.value;
    const barrier = this.#crossing.shift();
    if (barrier?.sequence !== entry.sequence) throw new Error("a barrier is none");
    for (const [name, state] of entry.states) {
      if (!this.#nodes.has(name)) throw new Error("a state is none");
      barrier.states.set(name, state);
    }
    for (const [name, counts] of entry.counts) {
      if (!this.#nodes.has(name)) throw new Error("counts are of no node");
      barrier.counts.set(name, counts);
    }
    return barrier;
  }
}

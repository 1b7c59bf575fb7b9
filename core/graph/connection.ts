/** What a branch does with a chunk for which it has no room. */
export type BranchPolicy = "block" | "drop-oldest" | "drop-newest" | "sample";

/** Where chunks go from one node of a graph to another. */
export interface Connection {
  /** The id of the node that gives. */
  from: string;
  /** The id of the node that takes. */
  to: string;
  /**
   * What happens to a chunk for which the branch has no room: `block` holds up the node that gives, and with
   * it all other branches; `drop-oldest` and `drop-newest` drop a chunk of this branch alone; `sample` takes
   * one of every `every` chunks and holds up for those. Markers are never dropped. @default "block"
   */
  policy?: BranchPolicy;
  /** How many chunks the branch holds. @default 16 */
  size?: number;
  /** Of how many chunks a branch that samples takes one, the first of them. @default 10 */
  every?: number;
}

/** How the chunks that come to a node, or to the output, from several nodes become one stream. */
export interface Merge {
  /**
   * `arrival`: as they come. `timestamp`: the earliest first; each branch must give its chunks in the order
   * of their timestamps, and a chunk without one counts as being as late as the one before it in its branch.
   * @default "arrival"
   */
  order?: "arrival" | "timestamp";
  /**
   * How long, in ms, a silent branch may hold back the merge by timestamp. After that the merge goes on
   * without it until it gives again, and what it then gives may come too late, but is never dropped. A branch
   * that has ended holds nothing back. `Infinity` waits for ever: do so only where no branch of a fan-out
   * drops chunks, or the fan-out fills up and both wait for each other. @default 1000
   */
  maxWaitMs?: number;
}

/** How many chunks a branch holds where its connection does not say. */
export const BRANCH_SIZE = 16;

/** Of how many chunks one is taken where a connection that samples does not say. */
export const SAMPLE_EVERY = 10;

/** How long a silent branch holds back a merge where it does not say, in ms. */
export const MAX_WAIT_MS = 1_000;

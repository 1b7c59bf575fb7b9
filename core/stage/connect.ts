import { PipelineError } from "../errors.ts";
import type { Executor, Segment } from "../executor.ts";
import type { AnyNode } from "../node.ts";
import type { NodeStats } from "../stats.ts";
import { isAsyncFunction } from "./_outputs.ts";
import { DropQueue } from "./drop_queue.ts";
import type { Drive, Inlet, Outlet } from "./ends.ts";
import { NodeSlot } from "./node_slot.ts";
import { ParallelStage } from "./parallel_stage.ts";
import { pumpIn, pumpOut } from "./pump.ts";
import { SerialStage } from "./serial_stage.ts";
import type { Stage } from "./stage.ts";

/** A segment whose nodes can go on from states taken earlier. */
export interface RestorableSegment extends Segment {
  /** The states to go on from, by node name; those of other nodes are passed over. Before the first chunk. */
  restore(states: ReadonlyMap<string, unknown>): void;
  /** Reads all of `source`, then ends. Resolves, without ever failing, when that is done. */
  feed(source: ReadableStream<unknown>): Promise<void>;
  /** Takes chunks from an inlet and gives them to an outlet, without streams at its ends where that can be. */
  drive(inlet: Inlet, outlet: Outlet): Drive;
}

/** What stands between two ends in a line: local nodes, a queue that drops, or a segment elsewhere. */
type Part =
  | { kind: "local"; stage: Stage; queue: DropQueue | undefined }
  | { kind: "elsewhere"; segment: Segment; names: readonly string[] };

/** Nodes that go into one part. */
interface Run {
  executor: Executor | undefined;
  nodes: { node: AnyNode; name: string }[];
}

/**
 * Connects a line of nodes: neighbours that are synchronous and run here are fused into one stage,
 * neighbours with the same executor become one segment there, and streams join the parts.
 *
 * @param nodes the line
 * @param names what to call them in errors and stats
 */
export function connect(
  nodes: readonly AnyNode[],
  names: readonly string[] = uniqueNames(nodes),
): RestorableSegment {
  const parts = divide(nodes, names).map(start);
  const ends = parts.flatMap(endsOf);
  for (const [index, { writable }] of ends.entries()) {
    if (index === 0) continue;
    // a failure of either side reaches both ends of the line through the streams themselves
    void ends[index - 1]!.readable.pipeTo(writable).catch(() => {});
  }
  return {
    readable: ends.at(-1)!.readable,
    writable: ends[0]!.writable,
    capacity: parts.reduce((sum, part) => sum + capacityOf(part), 0),
    interrupt: () => interrupt(parts),
    async stop(reason) {
      await Promise.all(parts.map((part) => stop(part, reason)));
    },
    stats: () => parts.flatMap(statsOf),
    feed: (source) => feed(parts[0]!, source),
    drive: (inlet, outlet) => drive(parts, inlet, outlet),
    restore(states) {
      for (const part of parts) restore(part, states);
    },
  };
}

/** Names that are unique in the line: a second `Gain` is `Gain-2`. */
export function uniqueNames(nodes: readonly AnyNode[]): string[] {
  const taken = new Set<string>(
    nodes.map(({ config }) => config.name).filter((name) => name !== undefined),
  );
  const given = new Set<string>();
  return nodes.map(({ config, name }) => {
    if (config.name !== undefined) {
      if (given.has(name)) {
        throw new PipelineError(
          `Cannot build pipeline as node names must differ: "${name}" is there twice`,
        );
      }
      given.add(name);
      return name;
    }
    let unique = name;
    for (let count = 2; taken.has(unique); count++) unique = `${name}-${count}`;
    taken.add(unique);
    return unique;
  });
}

function divide(nodes: readonly AnyNode[], names: readonly string[]): Run[] {
  const runs: Run[] = [];
  let last: Run | undefined;
  for (const [index, node] of nodes.entries()) {
    const { executor } = node.config;
    const joins = last !== undefined && last.executor === executor &&
      (executor !== undefined || canFuse(last.nodes.at(-1)!.node, node));
    if (!joins) runs.push(last = { executor, nodes: [] });
    last!.nodes.push({ node, name: names[index]! });
  }
  return runs;
}

function canFuse(before: AnyNode, node: AnyNode): boolean {
  return !isParallel(before) && !isParallel(node) && node.config.queue === undefined &&
    !isAsyncFunction(node.process);
}

function isParallel({ config }: AnyNode): boolean {
  return (config.concurrency ?? 1) > 1;
}

function start({ executor, nodes }: Run): Part {
  if (executor !== undefined) {
    const specs = nodes.map(({ node, name }) => ({ ...node.toSpec(), name }));
    return {
      kind: "elsewhere",
      segment: executor.open(specs),
      names: specs.map(({ name }) => name),
    };
  }
  const slots = nodes.map(({ node, name }) => new NodeSlot(node, name));
  const first = slots[0]!;
  const { concurrency = 1, queue } = first.node.config;
  const { size = 1, overflow = "block" } = queue ?? {};
  const drops = overflow !== "block";
  // beside the chunk that an async node works on, one may wait, so that neighbours work at the same time
  const working = concurrency === 1 && isAsyncFunction(first.node.process) ? 1 : 0;
  const queueSize = (drops ? 1 : size) + working;
  return {
    kind: "local",
    stage: concurrency > 1
      ? new ParallelStage(first, { queueSize, concurrency })
      : new SerialStage(slots, queueSize),
    queue: drops ? new DropQueue(first, { size, overflow }) : undefined,
  };
}

function endsOf(
  part: Part,
): { readable: ReadableStream<unknown>; writable: WritableStream<unknown> }[] {
  if (part.kind === "elsewhere") return [part.segment];
  return part.queue === undefined ? [part.stage] : [part.queue, part.stage];
}

function capacityOf(part: Part): number {
  if (part.kind === "elsewhere") return part.segment.capacity;
  const { stage, queue } = part;
  const { concurrency = 1, queue: config } = stage.slots[0]!.node.config;
  const queued = queue === undefined ? 0 : config!.size + 1;
  return queued + stage.queueSize + (concurrency > 1 ? concurrency : 0);
}

function statsOf(part: Part): NodeStats[] {
  if (part.kind === "elsewhere") return part.segment.stats();
  const { stage, queue } = part;
  return stage.slots.map((slot, index) =>
    slot.stats(index === 0 ? stage.queueDepth + (queue?.depth ?? 0) : 0)
  );
}

/** Whether a part waits for each chunk before it takes the next, so that nothing needs to queue in front of it. */
function takesItself(part: Part): part is Part & { kind: "local" } {
  return part.kind === "local" && !(part.stage instanceof ParallelStage) &&
    part.stage.slots[0]!.node.config.queue === undefined;
}

/** What fails on the way fails the readable end of the line, so nothing is told here. */
async function feed(first: Part, source: ReadableStream<unknown>): Promise<void> {
  if (takesItself(first)) await first.stage.feed(source);
  else if (first.kind === "elsewhere" && first.segment.feed) await first.segment.feed(source);
  else await source.pipeTo(endsOf(first)[0]!.writable).catch(() => {});
}

function drive(parts: readonly Part[], inlet: Inlet, outlet: Outlet): Drive {
  const [first, last] = [parts[0]!, parts.at(-1)!];
  let want: () => void;
  if (last.kind === "local") {
    last.stage.drainInto(outlet);
    want = () => last.stage.want();
  } else want = pumpOut(last.segment.readable, outlet);
  const more = takesItself(first)
    ? first.stage.supply(inlet)
    : pumpIn(inlet, endsOf(first)[0]!.writable);
  return { more, want };
}

function restore(part: Part, states: ReadonlyMap<string, unknown>): void {
  if (part.kind === "local") return part.stage.restore(states);
  const { segment, names } = part;
  if (segment.restore !== undefined) return segment.restore(states);
  const name = names.find((name) => states.has(name));
  if (name === undefined) return;
  throw new PipelineError(`Cannot restore node "${name}" as its executor takes no states`);
}

async function stop(part: Part, reason: unknown): Promise<void> {
  if (part.kind === "elsewhere") return await part.segment.stop(reason);
  part.queue?.stop(reason);
  await part.stage.stop(reason);
}

/**
 * Voids everything between the ends. What was on its way from one part to the next arrives within one
 * turn of the event loop and is dropped then; what is written meanwhile waits in the first part.
 */
async function interrupt(parts: readonly Part[]): Promise<void> {
  const released = Promise.withResolvers<void>();
  const elsewhere: Promise<void>[] = [];
  for (const part of parts) {
    if (part.kind === "elsewhere") {
      elsewhere.push(part.segment.interrupt());
    } else {
      part.queue?.dropQueued();
      part.stage.interrupt(released.promise);
    }
  }
  try {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await Promise.all(elsewhere);
    for (const [index, part] of parts.entries()) {
      if (part.kind === "elsewhere") continue;
      if (index > 0) part.queue?.dropQueued();
      if (index > 0 || part.queue !== undefined) part.stage.dropQueued();
    }
  } finally {
    released.resolve();
  }
}

import { nearest } from "../registry.ts";
import type { Connection } from "./connection.ts";

/** What a graph is made of, as far as its shape goes. */
export interface Shape {
  ids: readonly string[];
  connections: readonly Connection[];
  /** The nodes that take what comes in. */
  inputs: readonly string[];
  /** The nodes whose outputs come out. */
  outputs: readonly string[];
}

/** A run of nodes with one way in and one way out, which is connected like a pipeline. */
export interface Chain {
  ids: string[];
  /** Connections that come to its first node, beside the graph's input. */
  from: Connection[];
  /** Connections that leave its last node, beside the graph's output. */
  to: Connection[];
  isInput: boolean;
  isOutput: boolean;
}

/** A fault of a graph's shape, with what it is about: a node's id, a connection's index, or one of its ends. */
export interface ShapeFault {
  message: string;
  end?: "input" | "output";
  node?: string;
  connection?: number;
}

/** Where chunks go in and out if the graph does not say: nodes to which, or from which, nothing is connected. */
export function openEnds(
  ids: readonly string[],
  connections: readonly Connection[],
): { inputs: string[]; outputs: string[] } {
  const given = new Set(connections.map(({ from }) => from));
  const taken = new Set(connections.map(({ to }) => to));
  return {
    inputs: ids.filter((id) => !taken.has(id)),
    outputs: ids.filter((id) => !given.has(id)),
  };
}

/** What is wrong with a graph's shape; nothing if it can run. */
export function shapeFaults(shape: Shape): ShapeFault[] {
  const { ids, connections, inputs, outputs } = shape;
  const faults: ShapeFault[] = [];
  const pairs = new Set<string>();
  for (const [connection, { from, to }] of connections.entries()) {
    for (const id of [from, to]) {
      if (!ids.includes(id)) faults.push({ message: unknownNode(id, ids), connection });
    }
    if (pairs.has(`${from}\n${to}`)) {
      faults.push({ message: `Cannot connect ${from} to ${to} twice`, connection });
    }
    pairs.add(`${from}\n${to}`);
  }
  for (const [end, named] of [["input", inputs], ["output", outputs]] as const) {
    for (const id of named) {
      if (!ids.includes(id)) faults.push({ message: unknownNode(id, ids), end });
    }
  }
  if (faults.length > 0) return faults;
  const cycle = findCycle(ids, connections);
  if (cycle !== undefined) {
    const [from, to] = cycle.slice(-2);
    const connection = connections.findIndex((each) => each.from === from && each.to === to);
    return [{ message: `Cannot build graph with a cycle: ${cycle.join(" -> ")}`, connection }];
  }
  const reached = reach(inputs, connections, ({ from, to }) => [from, to]);
  const used = reach(outputs, connections, ({ from, to }) => [to, from]);
  for (const node of ids) {
    if (!reached.has(node)) {
      const message = `Cannot build graph as nothing comes to node ${node}: connect a node to it`;
      faults.push({ message, node });
    } else if (!used.has(node)) {
      const message =
        `Cannot build graph as nobody takes what node ${node} gives: connect it, or make it an output`;
      faults.push({ message, node });
    }
  }
  return faults;
}

/** Divides a graph into chains, in an order in which each comes after those that it takes from. */
export function chainsOf({ ids, connections, inputs, outputs }: Shape): Chain[] {
  const joined = (connection: Connection): boolean => {
    const { from, to } = connection;
    return isPlain(connection) && !outputs.includes(from) && !inputs.includes(to) &&
      connections.filter((each) => each.from === from).length === 1 &&
      connections.filter((each) => each.to === to).length === 1;
  };
  const next = new Map(connections.filter(joined).map(({ from, to }) => [from, to]));
  const inner = new Set(next.values());
  const chains: Chain[] = [];
  for (const first of sorted(ids, connections)) {
    if (inner.has(first)) continue;
    const line = [first];
    for (let id = next.get(first); id !== undefined; id = next.get(id)) line.push(id);
    const last = line.at(-1)!;
    chains.push({
      ids: line,
      from: connections.filter(({ to }) => to === first),
      to: connections.filter(({ from }) => from === last),
      isInput: inputs.includes(first),
      isOutput: outputs.includes(last),
    });
  }
  return chains;
}

function unknownNode(id: string, ids: readonly string[]): string {
  const near = nearest(id, ids);
  const hint = near === undefined ? `there are ${ids.join(", ")}` : `did you mean ${near}?`;
  return `Cannot find node ${id}: ${hint}`;
}

/** Whether a connection needs no queue of its own. */
export function isPlain({ policy = "block", size, every }: Connection): boolean {
  return policy === "block" && size === undefined && every === undefined;
}

/** A cycle as its nodes, the first of them also at the end; depth first, without recursion. */
function findCycle(
  ids: readonly string[],
  connections: readonly Connection[],
): string[] | undefined {
  const next = successors(connections);
  const done = new Set<string>();
  for (const start of ids) {
    const path: { id: string; left: string[] }[] = [];
    const enter = (id: string) => path.push({ id, left: [...next.get(id) ?? []] });
    if (!done.has(start)) enter(start);
    while (path.length > 0) {
      const { id, left } = path.at(-1)!;
      const to = left.shift();
      if (to === undefined) {
        done.add(id);
        path.pop();
        continue;
      }
      const seen = path.findIndex((step) => step.id === to);
      if (seen >= 0) return [...path.slice(seen).map((step) => step.id), to];
      if (!done.has(to)) enter(to);
    }
  }
  return undefined;
}

function reach(
  starts: readonly string[],
  connections: readonly Connection[],
  direction: (connection: Connection) => [string, string],
): Set<string> {
  const next = new Map<string, string[]>();
  for (const [from, to] of connections.map(direction)) {
    next.set(from, [...next.get(from) ?? [], to]);
  }
  const reached = new Set(starts);
  for (const id of reached) for (const to of next.get(id) ?? []) reached.add(to);
  return reached;
}

function successors(connections: readonly Connection[]): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const { from, to } of connections) next.set(from, [...next.get(from) ?? [], to]);
  return next;
}

/** Topological order that keeps the given order where it can (Kahn, 1962). */
export function sorted(ids: readonly string[], connections: readonly Connection[]): string[] {
  const missing = new Map(ids.map((id) => [id, 0]));
  for (const { to } of connections) missing.set(to, missing.get(to)! + 1);
  const next = successors(connections);
  const ready = ids.filter((id) => missing.get(id) === 0);
  for (const id of ready) {
    for (const to of next.get(id) ?? []) {
      missing.set(to, missing.get(to)! - 1);
      if (missing.get(to) === 0) ready.push(to);
    }
  }
  return ready;
}

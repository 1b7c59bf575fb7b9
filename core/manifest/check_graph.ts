import { openEnds, type Shape, shapeFaults, sorted } from "../graph/plan.ts";
import type { Connection } from "../graph/connection.ts";
import type { CheckedNode } from "./check_nodes.ts";
import { type ChunkFormat, commonFormat, formatAfter, misfit } from "./formats.ts";
import type { ManifestGraph } from "./manifest.ts";
import type { ManifestIssue } from "./manifest_error.ts";
import type { Path, SourceText } from "./source_text.ts";

/** Where a graph stands, and what takes what is wrong with it. */
export interface GraphChecks {
  at: Path;
  source: SourceText;
  issues: ManifestIssue[];
}

/** Checks how nodes are connected, and that neighbours fit. */
export function checkGraph(
  graph: ManifestGraph,
  nodes: readonly CheckedNode[],
  { at, source, issues }: GraphChecks,
): void {
  const shape = shapeOf(graph);
  if (new Set(shape.ids).size !== shape.ids.length) return; // told already
  for (const { message, node, connection, end } of shapeFaults(shape)) {
    const path = connection !== undefined
      ? [...at, "connections", connection]
      : node !== undefined
      ? [...at, "nodes", shape.ids.indexOf(node)]
      : [...at, ...(end === undefined ? [] : [end])];
    issues.push(source.issue(message, path));
  }
  if (issues.length === 0) checkFormats(shape, nodes, { at, source, issues });
}

/** A graph's shape; without connections each node gives to the next. */
export function shapeOf({ nodes, connections, input, output }: ManifestGraph): Shape {
  const ids = nodes.map(({ id }) => id);
  const joined: readonly Connection[] = connections ??
    ids.slice(1).map((to, index) => ({ from: ids[index]!, to }));
  const ends = openEnds(ids, joined);
  return {
    ids,
    connections: joined,
    inputs: input === undefined ? ends.inputs : [input].flat(),
    outputs: output === undefined ? ends.outputs : [output].flat(),
  };
}

/** Follows what is known of the chunks from node to node. */
function checkFormats(
  { ids, connections, inputs }: Shape,
  nodes: readonly CheckedNode[],
  { at, source, issues }: GraphChecks,
): void {
  const after = new Map<string, ChunkFormat>();
  for (const id of sorted(ids, connections)) {
    const { formats } = nodes[ids.indexOf(id)]!;
    const from = connections.filter(({ to }) => to === id).map((each) => each.from);
    for (const giver of from) {
      const fault = misfit(after.get(giver)!, formats.accepts ?? {});
      if (fault === undefined) continue;
      const message = `Cannot connect ${giver} to ${id} as ${id} needs ${fault.needed}, ` +
        `${giver} gives ${fault.given}: ${fault.remedy}`;
      issues.push(source.issue(message, [...at, "nodes", ids.indexOf(id)]));
    }
    const known = from.map((giver) => after.get(giver)!);
    const input = commonFormat(inputs.includes(id) ? [...known, {}] : known);
    after.set(id, formatAfter(formats, { ...input, ...onlyKinds(formats, input) }));
  }
}

/** A node that takes one kind passes no other. */
function onlyKinds({ accepts }: CheckedNode["formats"], { kinds }: ChunkFormat): ChunkFormat {
  if (accepts?.kinds === undefined || kinds !== undefined) return {};
  return { kinds: accepts.kinds };
}

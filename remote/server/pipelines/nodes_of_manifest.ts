import { Graph, GraphNode } from "../../../core/graph/mod.ts";
import type { Manifest, ManifestGraph, ManifestNode } from "../../../core/manifest/mod.ts";
import { graphOptionsOf } from "../../../core/manifest/pipeline_from_manifest.ts";
import type { NodeSpec } from "../../../core/executor.ts";
import type { AnyNode } from "../../../core/node.ts";
import type { Caller } from "../access.ts";
import { makeNodes, type SessionHost } from "../session_nodes.ts";

/** The module of a node whose code was uploaded: `bundle:`, the digest, `#` and the export. */
export const bundledModule = /^(bundle:[0-9a-f]{64})#([A-Za-z_$][\w$]*)$/;

/** All nodes of a manifest, those of graphs in it too; each with where it stands. */
export function* nodesBelow(
  { nodes }: ManifestGraph,
  at: readonly PropertyKey[] = [],
): Generator<[node: ManifestNode, at: readonly PropertyKey[]]> {
  for (const [index, node] of nodes.entries()) {
    const path = [...at, "nodes", index];
    if (node.graph === undefined) yield [node, path];
    else yield* nodesBelow(node.graph, [...path, "graph"]);
  }
}

/**
 * Makes the nodes of a session from a manifest without executors: a line, or one node that is a graph. The
 * policy of the caller is looked at for each.
 *
 * @throws as `makeNodes`
 */
export function nodesOfManifest(
  manifest: Manifest,
  session: { host: SessionHost; caller: Caller },
): AnyNode[] {
  const specs = [...nodesBelow(manifest)].map(([node]) => specOf(node));
  const made = makeNodes(specs, session).values();
  const nodesOf = ({ nodes }: ManifestGraph): AnyNode[] =>
    nodes.map(({ id, graph }) =>
      graph === undefined ? made.next().value! : new GraphNode(graphOf(graph), { name: id })
    );
  const graphOf = (graph: ManifestGraph) => new Graph(graphOptionsOf(graph, nodesOf(graph)));
  return manifest.connections === undefined
    ? nodesOf(manifest)
    : [new GraphNode(graphOf(manifest), { name: manifest.name })];
}

function specOf({ id, type, module, options = {}, concurrency, queue }: ManifestNode): NodeSpec {
  const [, bundle, name] = bundledModule.exec(module ?? "") ?? [];
  return {
    name: id,
    type: type ?? name!,
    options,
    ...(concurrency !== undefined && { concurrency }),
    ...(queue !== undefined && { queue }),
    ...(bundle !== undefined && { module: bundle }),
  };
}

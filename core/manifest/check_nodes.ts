import type { NodeClass } from "../node.ts";
import type { NodeRegistry } from "../registry.ts";
import { formatsOf, type NodeFormats } from "./formats.ts";
import { faultsOf, hintAt } from "./faults.ts";
import { optionsJsonSchema } from "./json_schema.ts";
import type { ManifestNode } from "./manifest.ts";
import type { ManifestIssue } from "./manifest_error.ts";
import type { Path, SourceText } from "./source_text.ts";

/** A node whose options are completed, and what is known of its chunks. */
export interface CheckedNode {
  node: ManifestNode;
  formats: NodeFormats;
}

/** What nodes are checked against. */
export interface NodeChecks {
  at: Path;
  source: SourceText;
  registry: NodeRegistry;
  /** The names of executors that there are. */
  executors: readonly string[];
  /** Takes what is wrong. */
  issues: ManifestIssue[];
}

/** Checks nodes one by one: what each is, its options, its executor, and that ids differ. */
export function checkNodes(nodes: readonly ManifestNode[], checks: NodeChecks): CheckedNode[] {
  const { at, source, issues } = checks;
  const named = withIds(nodes);
  const seen = new Set<string>();
  return named.map((node, index) => {
    const path = [...at, index];
    if (seen.has(node.id)) {
      const message = `Cannot read manifest as ids must differ: ${node.id} is there twice`;
      issues.push(source.issue(message, [...path, "id"]));
    }
    seen.add(node.id);
    return checkNode(node, path, checks);
  });
}

function checkNode(node: ManifestNode, at: Path, checks: NodeChecks): CheckedNode {
  const { source, registry, executors, issues } = checks;
  const { id, type, module, graph, executor, merge } = node;
  const kinds = [type, module, graph].filter((kind) => kind !== undefined).length;
  if (kinds !== 1) {
    const message = `Cannot create ${id} as it must have exactly one of type, module and graph`;
    issues.push(source.issue(message, at));
    return { node, formats: {} };
  }
  if (executor !== undefined && !executors.includes(executor)) {
    const message = `Cannot find executor ${executor}: ${hintAt(executor, executors)}`;
    issues.push(source.issue(message, [...at, "executor"]));
  }
  if (graph !== undefined) {
    for (const field of ["options", "executor", "concurrency", "queue"] as const) {
      if (node[field] === undefined) continue;
      const message = `Cannot create ${id} as a graph has no ${field}: give it to its nodes`;
      issues.push(source.issue(message, [...at, field], { atKey: true }));
    }
  }
  const tidied = {
    ...node,
    ...(typeof merge === "string" && { merge: { order: merge } }),
  } as ManifestNode;
  if (type === undefined) return { node: tidied, formats: {} };
  const nodeClass = registry.get(type);
  if (nodeClass === undefined) {
    const message = `Cannot find node type ${type}: ${hintAt(type, registry.types)}`;
    issues.push(source.issue(message, [...at, "type"]));
    return { node: tidied, formats: {} };
  }
  return checkOptions(tidied, nodeClass, at, checks);
}

function checkOptions(
  node: ManifestNode,
  nodeClass: NodeClass,
  at: Path,
  { source, issues }: NodeChecks,
): CheckedNode {
  const { options = {} } = node;
  const result = nodeClass.options?.safeParse(options);
  if (result === undefined) {
    return { node: { ...node, options }, formats: formatsOf(nodeClass, options) };
  }
  if (!result.success) {
    issues.push(...faultsOf(source, {
      at: [...at, "options"],
      action: `create ${node.id}`,
      field: "option",
      value: options,
      schema: optionsJsonSchema(nodeClass),
    }, result.error.issues));
    return { node, formats: {} };
  }
  const completed = result.data as Record<string, unknown>;
  return { node: { ...node, options: completed }, formats: formatsOf(nodeClass, completed) };
}

/** Nodes without id get the name of what they are; a second `Gain` is `Gain-2`. */
function withIds(nodes: readonly ManifestNode[]): ManifestNode[] {
  const taken = new Set<string>(nodes.map(({ id }) => id).filter((id) => id !== undefined));
  return nodes.map((node) => {
    if (node.id !== undefined) return node;
    const base = node.type ?? node.module?.split("#").at(-1) ?? "Graph";
    let id = base;
    for (let count = 2; taken.has(id); count++) id = `${base}-${count}`;
    taken.add(id);
    return { ...node, id };
  });
}

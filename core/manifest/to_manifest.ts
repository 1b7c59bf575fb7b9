import { stringify } from "yaml";
import { ConfigurationError } from "../errors.ts";
import type { Executor } from "../executor.ts";
import type { Merge } from "../graph/connection.ts";
import { Graph } from "../graph/graph.ts";
import { GraphNode } from "../graph/graph_node.ts";
import type { AnyNode, NodeClass } from "../node.ts";
import type { Pipeline } from "../pipeline.ts";
import { uniqueNames } from "../stage/connect.ts";
import type {
  Manifest,
  ManifestExecutor,
  ManifestGraph,
  ManifestMerge,
  ManifestNode,
} from "./manifest.ts";
import { executorOrigin, manifestOrigin, moduleOrigin } from "./origins.ts";
import { tidy } from "./parse_manifest.ts";

/** Options of {@linkcode toManifest}. */
export interface ToManifestOptions {
  /** What to call the pipeline. @default as in the manifest that it was made of, else "pipeline" */
  name?: string;
  /** How to tell of executors that were not made from a manifest, with their names there. */
  executors?: ReadonlyMap<Executor, { name: string; settings: ManifestExecutor }>;
}

/**
 * The manifest of a pipeline or graph: made again from it, it is the same.
 *
 * @param pipeline whatever can be told as data
 * @param options what the pipeline itself does not know
 * @throws {ConfigurationError} if an option is no JSON value, or an executor is not known
 *
 * @example
 * ```ts
 * import { formatManifest, Pipeline, toManifest } from "@remotemedia/sdk";
 * import { AudioTransform } from "@remotemedia/sdk/nodes";
 *
 * const pipeline = new Pipeline([new AudioTransform({ channels: 1 })]);
 * console.log(formatManifest(toManifest(pipeline, { name: "mono" })));
 * ```
 */
export function toManifest(pipeline: Pipeline | Graph, options: ToManifestOptions = {}): Manifest {
  const origin = manifestOrigin(pipeline);
  const executors: Record<string, ManifestExecutor> = { ...origin?.executors };
  const writer = new Writer(options, executors);
  const graph = pipeline instanceof Graph ? writer.graph(pipeline) : writer.line(pipeline);
  return {
    version: 1,
    name: options.name ?? origin?.name ?? "pipeline",
    ...(origin?.description !== undefined && { description: origin.description }),
    ...graph,
    ...(Object.keys(executors).length > 0 || origin?.executors !== undefined ? { executors } : {}),
  };
}

/**
 * A manifest as text.
 *
 * @param manifest from {@linkcode toManifest} or {@linkcode parseManifest}
 * @param options in which of the two forms. @default YAML
 */
export function formatManifest(
  manifest: Manifest,
  { as = "yaml" }: { as?: "yaml" | "json" } = {},
): string {
  if (as === "json") return `${JSON.stringify(manifest, undefined, 2)}\n`;
  return stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 100 });
}

/** Writes the parts of one manifest, and gathers its executors. */
class Writer {
  readonly #options: ToManifestOptions;
  readonly #executors: Record<string, ManifestExecutor>;

  constructor(options: ToManifestOptions, executors: Record<string, ManifestExecutor>) {
    this.#options = options;
    this.#executors = executors;
  }

  line({ nodes }: Pipeline): ManifestGraph {
    const names = uniqueNames(nodes);
    return { nodes: nodes.map((node, index) => this.#node(node, names[index]!)) };
  }

  graph(graph: Graph): ManifestGraph {
    return tidy({
      nodes: [...graph.nodes].map(([id, node]) => this.#node(node, id, graph.merge[id])),
      connections: graph.connections.map((connection) => ({ ...connection })),
      input: [...graph.inputs],
      output: [...graph.outputs],
      ...(graph.outputMerge !== undefined && { outputMerge: mergeOf(graph.outputMerge) }),
    });
  }

  #node(node: AnyNode, id: string, merge?: Merge): ManifestNode {
    const merged = merge === undefined ? {} : { merge: mergeOf(merge) };
    if (node instanceof GraphNode) return { id, graph: this.graph(node.graph), ...merged };
    const { options, concurrency, queue } = node.toSpec();
    checkJson(options, `${id}.options`);
    const { executor } = node.config;
    return {
      id,
      ...kindOf(node),
      options: structuredClone(options) as Record<string, unknown>,
      ...(executor !== undefined && { executor: this.#executor(executor, id) }),
      ...(concurrency !== undefined && { concurrency }),
      ...(queue !== undefined && { queue: { ...queue } }),
      ...merged,
    };
  }

  #executor(executor: Executor, id: string): string {
    const known = this.#options.executors?.get(executor) ?? executorOrigin(executor);
    if (known === undefined) {
      const hint = "give its name and settings in options.executors";
      throw new ConfigurationError(
        `Cannot write node ${id} as its executor ${executor.name} is not known: ${hint}`,
      );
    }
    this.#executors[known.name] = { ...known.settings };
    return known.name;
  }
}

function kindOf(node: AnyNode): Pick<ManifestNode, "type" | "module"> {
  const nodeClass = node.constructor as unknown as NodeClass;
  const origin = moduleOrigin(nodeClass);
  if (origin !== undefined) return { module: origin };
  if (nodeClass.module !== undefined) return { module: `${nodeClass.module}#${nodeClass.name}` };
  return { type: node.type };
}

function mergeOf({ order, maxWaitMs }: Merge): ManifestMerge {
  return {
    ...(order !== undefined && { order }),
    ...(maxWaitMs !== undefined && { maxWaitMs: maxWaitMs === Infinity ? "forever" : maxWaitMs }),
  };
}

/** Refuses what would not come back from JSON as it is. */
function checkJson(value: unknown, path: string): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    return value.forEach((item, index) => checkJson(item, `${path}[${index}]`));
  }
  if (typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      for (const [key, item] of Object.entries(value)) {
        if (item !== undefined) checkJson(item, `${path}.${key}`);
      }
      return;
    }
  }
  const kind = typeof value === "object" ? value!.constructor.name : typeof value;
  throw new ConfigurationError(
    `Cannot write ${path} into a manifest as it is no JSON value: ${kind}`,
  );
}

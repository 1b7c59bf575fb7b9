import { pathToFileURL } from "node:url";
import { ConfigurationError, messageOf } from "../errors.ts";
import type { Executor } from "../executor.ts";
import type { Merge } from "../graph/connection.ts";
import { Graph, type GraphOptions } from "../graph/graph.ts";
import { GraphNode } from "../graph/graph_node.ts";
import { type AnyNode, Node, type NodeClass, type NodeConfig } from "../node.ts";
import { Pipeline } from "../pipeline.ts";
import type { NodeRegistry } from "../registry.ts";
import type {
  Manifest,
  ManifestExecutor,
  ManifestGraph,
  ManifestMerge,
  ManifestNode,
} from "./manifest.ts";
import { ManifestError } from "./manifest_error.ts";
import { rememberExecutor, rememberManifest, rememberModule } from "./origins.ts";
import { sourceOf } from "./parse_manifest.ts";

/** What an executor of a manifest is made of, its token put in. */
export interface ExecutorSettings extends Omit<ManifestExecutor, "token"> {
  /** The bearer token itself. */
  token?: string;
}

/** What a manifest tells of: takes and gives chunks of kinds that only its nodes know. */
export type ManifestPipeline = Pipeline<readonly [Node<unknown, unknown>]> | Graph;

/** Options of {@linkcode pipelineFromManifest}. */
export interface BuildOptions {
  /** The node types that there are. */
  registry: NodeRegistry;
  /** Makes an executor; for servers `(settings) => new RemoteExecutor(settings)`. @default executors are refused */
  createExecutor?: (settings: ExecutorSettings, name: string) => Executor;
  /** The only variables that `${NAME}` may stand for. @default none */
  env?: Readonly<Record<string, string>>;
  /** Loads the modules that the manifest names: this runs their code here. @default modules are refused */
  importModules?: boolean;
  /** Where the paths of modules start: the URL of the manifest. @default the working directory */
  base?: URL;
}

/**
 * Makes the pipeline that a manifest tells of; a graph if it has `connections`. Nothing runs yet.
 *
 * @param manifest from {@linkcode parseManifest}
 * @param options the node types, and what the manifest may use
 * @throws {ManifestError} if it asks for what the options do not give, or a module cannot be loaded
 *
 * @example
 * ```ts
 * import { NodeRegistry, parseManifest, pipelineFromManifest } from "@remotemedia/sdk";
 * import { builtinNodes } from "@remotemedia/sdk/nodes";
 *
 * const registry = new NodeRegistry(builtinNodes);
 * const manifest = parseManifest("version: 1\nnodes: [{ type: PassThrough }]", { registry });
 * const pipeline = await pipelineFromManifest(manifest, { registry });
 * console.log(await Array.fromAsync(pipeline.run([1, 2]))); // [1, 2]
 * ```
 */
export async function pipelineFromManifest(
  manifest: Manifest,
  options: BuildOptions,
): Promise<ManifestPipeline> {
  const builder = new Builder(manifest, options);
  const pipeline = await builder.graph(manifest, []) as ManifestPipeline;
  rememberManifest(pipeline, manifest);
  return pipeline;
}

/** What a graph of a manifest is made of. @param nodes its nodes, in their order */
export function graphOptionsOf(graph: ManifestGraph, nodes: readonly AnyNode[]): GraphOptions {
  const { connections = [], input, output, outputMerge } = graph;
  return {
    nodes: Object.fromEntries(graph.nodes.map(({ id }, index) => [id, nodes[index]!])),
    connections,
    merge: Object.fromEntries(
      graph.nodes.flatMap(({ id, merge }) => merge === undefined ? [] : [[id, mergeOf(merge)]]),
    ),
    input,
    output,
    ...(outputMerge !== undefined && { outputMerge: mergeOf(outputMerge) }),
  };
}

function mergeOf({ maxWaitMs, ...rest }: ManifestMerge): Merge {
  const wait = maxWaitMs === "forever" ? Infinity : maxWaitMs;
  return { ...rest, ...(wait !== undefined && { maxWaitMs: wait }) };
}

/** Makes the parts of one pipeline. */
class Builder {
  readonly #manifest: Manifest;
  readonly #options: BuildOptions;
  readonly #executors = new Map<string, Executor>();

  constructor(manifest: Manifest, options: BuildOptions) {
    this.#manifest = manifest;
    this.#options = options;
  }

  async graph(graph: ManifestGraph, at: readonly PropertyKey[]): Promise<Pipeline | Graph> {
    const nodes: AnyNode[] = [];
    for (const [index, node] of graph.nodes.entries()) {
      nodes.push(await this.#node(node, [...at, "nodes", index]));
    }
    if (graph.connections === undefined) return new Pipeline(nodes);
    return new Graph(graphOptionsOf(graph, nodes));
  }

  async #node(node: ManifestNode, at: readonly PropertyKey[]): Promise<AnyNode> {
    const { id, type, graph, module, options = {}, concurrency, queue } = node;
    if (graph !== undefined) {
      return new GraphNode(await this.graph(graph, [...at, "graph"]) as Graph, { name: id });
    }
    const nodeClass = module === undefined
      ? this.#options.registry.get(type!)
      : await this.#load(module, [...at, "module"]);
    if (nodeClass === undefined) {
      return this.#refuse(`Cannot find node type ${type}`, [...at, "type"]);
    }
    const config: NodeConfig = {
      name: id,
      ...(concurrency !== undefined && { concurrency }),
      ...(queue !== undefined && { queue }),
      ...(node.executor !== undefined &&
        { executor: this.#executor(node.executor, [...at, "executor"]) }),
    };
    try {
      return new nodeClass(options as never, config);
    } catch (cause) {
      return this.#refuse(messageOf(cause), [...at, "options"], cause);
    }
  }

  #executor(name: string, at: readonly PropertyKey[]): Executor {
    const known = this.#executors.get(name);
    if (known !== undefined) return known;
    const { createExecutor, env = {} } = this.#options;
    const settings = this.#manifest.executors![name]!;
    if (createExecutor === undefined) {
      return this.#refuse(`Cannot use executor ${name} as createExecutor is not given`, at);
    }
    const { token, ...rest } = settings;
    const variable = token?.slice(2, -1);
    if (variable !== undefined && !Object.hasOwn(env, variable)) {
      const message = `Cannot use executor ${name} as the environment has no variable ${variable}`;
      return this.#refuse(message, ["executors", name, "token"]);
    }
    const secret = variable === undefined ? {} : { token: env[variable]! };
    const executor = createExecutor({ ...rest, ...secret }, name);
    rememberExecutor(executor, name, settings);
    this.#executors.set(name, executor);
    return executor;
  }

  async #load(module: string, at: readonly PropertyKey[]): Promise<NodeClass> {
    const { importModules = false, base = pathToFileURL(`${Deno.cwd()}/`) } = this.#options;
    if (!importModules) {
      return this.#refuse(`Cannot load ${module} as importModules is not set`, at);
    }
    const [path, name] = module.split("#") as [string, string];
    let loaded: Record<string, unknown>;
    try {
      loaded = await import(new URL(path, base).href);
    } catch (cause) {
      return this.#refuse(`Cannot load ${path}: ${messageOf(cause).split("\n")[0]}`, at, cause);
    }
    const nodeClass = loaded[name];
    if (typeof nodeClass !== "function" || !(nodeClass.prototype instanceof Node)) {
      const what = nodeClass === undefined ? `it exports no ${name}` : `${name} is not a node`;
      const names = Object.keys(loaded).join(", ");
      return this.#refuse(`Cannot load ${module} as ${what}: it has ${names}`, at);
    }
    rememberModule(nodeClass as unknown as NodeClass, module);
    return nodeClass as unknown as NodeClass;
  }

  #refuse(message: string, at: readonly PropertyKey[], cause?: unknown): never {
    const source = sourceOf(this.#manifest);
    if (source === undefined) throw new ConfigurationError(message, { cause });
    throw new ManifestError(source.file, [source.issue(message, at)], { cause });
  }
}

import type { NodeRegistry } from "../registry.ts";
import { openEnds } from "../graph/plan.ts";
import { checkGraph } from "./check_graph.ts";
import { type CheckedNode, checkNodes } from "./check_nodes.ts";
import { faultsOf, type Owner } from "./faults.ts";
import { toJsonSchema } from "./json_schema.ts";
import {
  graphSchema,
  type Manifest,
  type ManifestGraph,
  type ManifestMerge,
  type ManifestNode,
  manifestSchema,
} from "./manifest.ts";
import { ManifestError, type ManifestIssue } from "./manifest_error.ts";
import { type Path, SourceText } from "./source_text.ts";

/** Options of {@linkcode parseManifest}. */
export interface ParseOptions {
  /** The node types that there are. */
  registry: NodeRegistry;
  /** What to call the text in errors. @default "manifest" */
  file?: string;
}

/** How deep graphs may be nested. */
const MAX_NESTING = 8;

/** The text that a manifest was read from, to tell where something of it stands. */
const sources = new WeakMap<Manifest, SourceText>();

/** The text that the manifest was read from, if it was. */
export function sourceOf(manifest: Manifest): SourceText | undefined {
  return sources.get(manifest);
}

/**
 * Reads a manifest from YAML or JSON and checks all of it that can be without running anything: its form, node
 * types, options, names, cycles, and whether neighbours fit. Code of modules is not loaded.
 *
 * Time and memory are bounded whatever the text: its length by 1 MiB, nesting by 64, aliases by 100.
 *
 * @param text YAML 1.2, of which JSON is a part
 * @param options the node types, and what to call the text
 * @returns the manifest, with ids filled in and options completed by the nodes' schemas
 * @throws {ManifestError} with all that is wrong, each with line and column
 *
 * @example
 * ```ts
 * import { NodeRegistry, parseManifest } from "@remotemedia/sdk";
 * import { builtinNodes } from "@remotemedia/sdk/nodes";
 *
 * const registry = new NodeRegistry(builtinNodes);
 * const manifest = parseManifest("version: 1\nnodes: [{ type: AudioTransform, options: { channels: 1 } }]", { registry });
 * console.log(manifest.nodes[0]?.id); // "AudioTransform"
 * ```
 */
export function parseManifest(text: string, options: ParseOptions): Manifest {
  const { registry, file = "manifest" } = options;
  const source = new SourceText(text, file);
  const frame = new Frame(source, registry);
  const manifest = frame.manifest();
  if (frame.issues.length > 0) {
    throw new ManifestError(
      file,
      frame.issues.toSorted((a, b) => a.line - b.line || a.column - b.column),
    );
  }
  sources.set(manifest!, source);
  return manifest!;
}

/** Reads one manifest, and gathers what is wrong. */
class Frame {
  readonly issues: ManifestIssue[] = [];
  readonly #source: SourceText;
  readonly #registry: NodeRegistry;

  constructor(source: SourceText, registry: NodeRegistry) {
    this.#source = source;
    this.#registry = registry;
  }

  manifest(): Manifest | undefined {
    const { data: value } = this.#source;
    const owner: Owner = {
      at: [],
      action: "read manifest",
      value,
      schema: toJsonSchema(manifestSchema),
    };
    const result = manifestSchema.safeParse(value);
    if (!result.success) {
      this.issues.push(...faultsOf(this.#source, owner, result.error.issues));
      return undefined;
    }
    const { version, name, description, executors, ...graph } = result.data;
    const checked = this.#graph(graph as ManifestGraph, [], Object.keys(executors ?? {}), 0);
    return {
      version,
      name,
      ...(description !== undefined && { description }),
      ...checked,
      ...(executors !== undefined && { executors }),
    };
  }

  #graph(graph: ManifestGraph, at: Path, executors: string[], depth: number): ManifestGraph {
    const nodes = checkNodes(graph.nodes, {
      at: [...at, "nodes"],
      source: this.#source,
      registry: this.#registry,
      executors,
      issues: this.issues,
    });
    const completed = nodes.map((node, index) =>
      this.#nested(node, [...at, "nodes", index, "graph"], executors, depth)
    );
    const whole = explicit(tidy({ ...graph, nodes: completed }), depth);
    checkGraph(whole, nodes, { at, source: this.#source, issues: this.issues });
    return whole;
  }

  #nested({ node }: CheckedNode, at: Path, executors: string[], depth: number): ManifestNode {
    if (node.graph === undefined) return node;
    if (depth >= MAX_NESTING) {
      const message = `Cannot read manifest as graphs must be nested at most ${MAX_NESTING} deep`;
      this.issues.push(this.#source.issue(message, at));
      return node;
    }
    const result = graphSchema.safeParse(node.graph);
    if (!result.success) {
      const schema = toJsonSchema(graphSchema);
      const owner = { at, action: `read graph ${node.id}`, value: node.graph, schema };
      this.issues.push(...faultsOf(this.#source, owner, result.error.issues));
      return node;
    }
    return { ...node, graph: this.#graph(result.data as ManifestGraph, at, executors, depth + 1) };
  }
}

/** Where a line alone does not say it all, its connections are told. */
function explicit(graph: ManifestGraph, depth: number): ManifestGraph {
  const { nodes, connections, input, output, outputMerge } = graph;
  const isLine = depth === 0 && input === undefined && output === undefined &&
    outputMerge === undefined &&
    nodes.every(({ merge }) => merge === undefined);
  if (isLine || connections !== undefined) return graph;
  const line = nodes.slice(1).map(({ id }, index) => ({ from: nodes[index]!.id, to: id }));
  return tidy({ ...graph, connections: line });
}

/** The one form in which a graph is told: fields that say what is so anyway are left out. */
export function tidy(graph: ManifestGraph): ManifestGraph {
  const { nodes, connections, input, output } = graph;
  const outputMerge = graph.outputMerge as ManifestMerge | "arrival" | "timestamp" | undefined;
  const line = nodes.slice(1).map(({ id }, index) => ({ from: nodes[index]!.id, to: id }));
  const ends = openEnds(nodes.map(({ id }) => id), connections ?? line);
  const end = (given: string | string[] | undefined, usual: string[]) => {
    const named = given === undefined ? usual : [given].flat();
    if (named.join("\n") === usual.join("\n")) return undefined;
    return named.length === 1 ? named[0] : named;
  };
  const [first, last] = [end(input, ends.inputs), end(output, ends.outputs)];
  return {
    nodes,
    ...(connections !== undefined && { connections }),
    ...(first !== undefined && { input: first }),
    ...(last !== undefined && { output: last }),
    ...(outputMerge !== undefined && {
      outputMerge: typeof outputMerge === "string" ? { order: outputMerge } : outputMerge,
    }),
  };
}

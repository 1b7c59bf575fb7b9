import { PipelineError } from "../errors.ts";
import { Node } from "../node.ts";
import type { Graph } from "./graph.ts";

/**
 * A graph as one node of a pipeline, or of another graph. Its nodes run where they say themselves.
 *
 * @example
 * ```ts
 * import { Graph, GraphNode, PassThrough, Pipeline } from "@remotemedia/sdk";
 *
 * const graph = new Graph<number, number>({
 *   nodes: { a: new PassThrough(), b: new PassThrough() },
 *   connections: [{ from: "a", to: "b" }],
 * });
 * const pipeline = new Pipeline([new GraphNode(graph), new PassThrough()]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2]))); // [1, 2]
 * ```
 */
export class GraphNode<I = unknown, O = unknown> extends Node<I, O> {
  /** Its type. */
  static override readonly type = "Graph";
  /** The graph. */
  readonly graph: Graph<I, O>;

  /**
   * Wraps it.
   *
   * @param graph the graph, not yet used
   * @param config what to call it. @default "Graph"
   */
  constructor(graph: Graph<I, O>, { name }: { name?: string } = {}) {
    const executor = { name: "graph", open: () => graph };
    super({}, { ...(name !== undefined && { name }), executor });
    this.graph = graph;
  }

  /** Never called: the graph takes the chunks. @throws {PipelineError} always */
  override process(): O {
    throw new PipelineError("Cannot process a chunk in GraphNode as its graph does");
  }
}

/**
 * Nodes that are connected to more than one other.
 *
 * @module
 */

export type { BranchPolicy, Connection, Merge } from "./connection.ts";
export * from "./graph.ts";
export * from "./graph_node.ts";

/**
 * Nodes that are code: functions, source text, packaged classes.
 *
 * @module
 */

export * from "./code_executor_node.ts";
export * from "./filter.ts";
export * from "./function_node.ts";
export * from "./map.ts";
export * from "./serialized_class_executor_node.ts";

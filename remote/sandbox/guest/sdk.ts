/**
 * The part of the SDK that a sandbox provides itself: core without manifests, and what functions as nodes need.
 * Everything else is there in name only, see `absent.ts`.
 *
 * @module
 */

export * from "../../../core/codec/mod.ts";
export * from "../../../core/errors.ts";
export * from "../../../core/executor.ts";
export * from "../../../core/frames/mod.ts";
export * from "../../../core/graph/mod.ts";
export * from "../../../core/node.ts";
export * from "../../../core/pipeline.ts";
export * from "../../../core/registry.ts";
export * from "../../../core/runtime.ts";
export * from "../../../core/stats.ts";
export * from "../../../nodes/code/filter.ts";
export * from "../../../nodes/code/function_node.ts";
export * from "../../../nodes/code/map.ts";
export { dataFile } from "../../../packaging/data_files.ts";

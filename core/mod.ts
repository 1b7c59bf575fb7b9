/**
 * What flows and how: nodes, pipelines, frames, errors.
 *
 * @module
 */

export * from "./codec/mod.ts";
export * from "./errors.ts";
export * from "./executor.ts";
export * from "./frames/mod.ts";
export * from "./graph/mod.ts";
export type { Logger } from "./log.ts";
export * from "./manifest/mod.ts";
export * from "./node.ts";
export type { OptionsIssue, OptionsResult, OptionsSchema } from "./options.ts";
export {
  type Fitting,
  type LineInput,
  type LineOutput,
  type NodeLine,
  Pipeline,
  type RunOptions,
  type Source,
} from "./pipeline.ts";
export * from "./registry.ts";
export * from "./runtime.ts";
export * from "./stats.ts";

/**
 * Pipelines as YAML or JSON.
 *
 * @module
 */

export type { ChunkFormat, ChunkKind, NodeFormats } from "./formats.ts";
export {
  describeSchema,
  type JsonSchemaObject,
  manifestJsonSchema,
  optionsJsonSchema,
} from "./json_schema.ts";
export type {
  Manifest,
  ManifestExecutor,
  ManifestGraph,
  ManifestMerge,
  ManifestNode,
} from "./manifest.ts";
export * from "./manifest_error.ts";
export { parseManifest, type ParseOptions } from "./parse_manifest.ts";
export {
  type BuildOptions,
  type ExecutorSettings,
  type ManifestPipeline,
  pipelineFromManifest,
} from "./pipeline_from_manifest.ts";
export * from "./to_manifest.ts";

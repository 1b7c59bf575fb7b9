import type { Executor } from "../executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { NodeClass } from "../node.ts";
import type { Pipeline } from "../pipeline.ts";
import type { Manifest, ManifestExecutor } from "./manifest.ts";

/** What the parts of a pipeline were made of, so that it can be written again. Secrets are not kept. */
const executors = new WeakMap<Executor, { name: string; settings: ManifestExecutor }>();
const modules = new WeakMap<NodeClass, string>();
const heads = new WeakMap<Pipeline | Graph, Pick<Manifest, "name" | "description" | "executors">>();

export function rememberExecutor(
  executor: Executor,
  name: string,
  settings: ManifestExecutor,
): void {
  executors.set(executor, { name, settings });
}

export function executorOrigin(
  executor: Executor,
): { name: string; settings: ManifestExecutor } | undefined {
  return executors.get(executor);
}

export function rememberModule(nodeClass: NodeClass, module: string): void {
  modules.set(nodeClass, module);
}

export function moduleOrigin(nodeClass: NodeClass): string | undefined {
  return modules.get(nodeClass);
}

export function rememberManifest(pipeline: Pipeline | Graph, manifest: Manifest): void {
  const { name, description, executors } = manifest;
  heads.set(pipeline, { name, description, executors });
}

export function manifestOrigin(
  pipeline: Pipeline | Graph,
): Pick<Manifest, "name" | "description" | "executors"> | undefined {
  return heads.get(pipeline);
}

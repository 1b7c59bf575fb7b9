import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { ConfigurationError, messageOf } from "../core/errors.ts";
import {
  formatManifest,
  type Manifest,
  NodeRegistry,
  parseManifest,
  pipelineFromManifest,
} from "../core/mod.ts";
import type { ManifestPipeline } from "../core/mod.ts";
import { ManifestError } from "../core/manifest/manifest_error.ts";
import { nearest } from "../core/registry.ts";
import { builtinNodes } from "../nodes/mod.ts";
import { reasonOf } from "./files.ts";
import { tlsOf } from "./remote_client.ts";
import { RemoteExecutor } from "../remote/client/remote_executor.ts";

/** The node types that a manifest may name. */
export const registry: NodeRegistry = new NodeRegistry(builtinNodes);

/** Adds `node.option=value` to earlier ones, for Commander. */
export function gather(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/**
 * Reads and checks a manifest.
 *
 * @param path its file; `-` for the standard input
 * @param settings `node.option=value`, each of which replaces an option
 */
export async function readManifest(
  path: string,
  settings: readonly string[] = [],
): Promise<Manifest> {
  let text: string;
  try {
    text = path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(path);
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
  const manifest = parseManifest(text, { registry, file: path === "-" ? "stdin" : path });
  if (settings.length === 0) return manifest;
  const changed = structuredClone(manifest);
  for (const setting of settings) set(changed, setting);
  try {
    return parseManifest(formatManifest(changed), { registry, file: `${path} with --set` });
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    // where it stands in a text that nobody wrote helps nobody
    const messages = cause.issues.map(({ message }) => message).join("; ");
    throw new ConfigurationError(`${messages} (with --set ${settings.join(" --set ")})`, { cause });
  }
}

/** Makes the pipeline of a manifest; executors are servers, modules are loaded. */
export async function buildPipeline(
  manifest: Manifest,
  path: string,
): Promise<{ pipeline: ManifestPipeline; close(): Promise<void> }> {
  const executors: RemoteExecutor[] = [];
  const pipeline = await pipelineFromManifest(manifest, {
    registry,
    env: tokensOf(manifest),
    importModules: true,
    base: path === "-" ? undefined : pathToFileURL(resolve(path)),
    createExecutor({ tls, ...settings }) {
      const executor = new RemoteExecutor({
        ...settings,
        ...tlsOf(tls),
      });
      executors.push(executor);
      return executor;
    },
  });
  return {
    pipeline,
    async close() {
      await Promise.all(executors.map((executor) => executor[Symbol.asyncDispose]()));
    },
  };
}

/** The variables that the manifest's tokens name, and no others. */
function tokensOf({ executors = {} }: Manifest): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { token } of Object.values(executors)) {
    const name = token?.slice(2, -1);
    const value = name === undefined ? undefined : Deno.env.get(name);
    if (value !== undefined) env[name!] = value;
  }
  return env;
}

function set(manifest: Manifest, setting: string): void {
  const parts = /^([^=]+)\.([^.=]+)=(.*)$/s.exec(setting);
  if (parts === null) {
    throw new ConfigurationError(`Cannot set ${setting} as it must be node.option=value`);
  }
  const [, id, option, value] = parts as unknown as [string, string, string, string];
  const node = manifest.nodes.find((each) => each.id === id);
  if (node === undefined) {
    const ids = manifest.nodes.map((each) => each.id);
    const near = nearest(id, ids);
    const hint = near === undefined ? `there are ${ids.join(", ")}` : `did you mean ${near}?`;
    throw new ConfigurationError(`Cannot set ${setting} as there is no node ${id}: ${hint}`);
  }
  node.options = { ...node.options, [option]: valueOf(value, setting) };
}

function valueOf(text: string, setting: string): unknown {
  if (text === "") return ""; // no value of YAML
  try {
    return parse(text);
  } catch (cause) {
    const rule = messageOf(cause).split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
    throw new ConfigurationError(
      `Cannot set ${setting} as its value is no YAML (${rule}): put a text into quotes, '"…"'`,
      { cause },
    );
  }
}

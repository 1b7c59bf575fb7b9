import type { BundledSource } from "./_bundle_code.ts";
import type { ModuleGraph } from "./_module_graph.ts";
import type { ModuleNames } from "./_names.ts";
import { sha256Hex } from "./bundle.ts";
import type { BundleModule } from "./bundle_manifest.ts";

/** Where the bytes of a module are. */
interface Located {
  /** The file. */
  path: string;
  /** How many of its bytes are the module; Deno's cache keeps notes of its own behind them. */
  size: number | undefined;
}

/**
 * Lists all modules of a bundle, with size and digest: those of the graph, types included, and the files of
 * npm packages that went into the code. Sorted by name.
 */
export async function collectModules(
  graph: ModuleGraph,
  names: ModuleNames,
  sources: readonly BundledSource[],
): Promise<BundleModule[]> {
  const found = new Map<string, Located & Pick<BundleModule, "kind">>();
  for (const { specifier, local, size } of graph.modules.values()) {
    if (local === undefined || !/^(file|https?):/.test(specifier)) continue;
    const { kind, name } = names.of(specifier);
    found.set(name, { kind, path: local, size: kind === "remote" ? size : undefined });
  }
  for (const { kind, name, source } of sources) {
    if (found.has(name) || kind === "remote") continue;
    found.set(name, { kind, path: source, size: undefined });
  }
  const modules: BundleModule[] = [];
  for (const name of [...found.keys()].sort()) {
    const { kind, path, size } = found.get(name)!;
    const bytes = (await Deno.readFile(path)).subarray(0, size);
    modules.push({ name, kind, size: bytes.length, sha256: await sha256Hex(bytes) });
  }
  return modules;
}

/** The files of a graph whose change must be noticed: all but those of Deno's own npm cache. */
export function filesToWatch(graph: ModuleGraph, sources: readonly BundledSource[]): string[] {
  const own = [...graph.modules.values()].flatMap(({ local }) => local ?? []);
  const installed = sources.map(({ source }) => source).filter((path) =>
    /[/\\]node_modules[/\\]/.test(path)
  );
  return [...own, ...installed];
}

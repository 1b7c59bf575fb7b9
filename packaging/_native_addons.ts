import { join } from "node:path";
import { parseJsonc } from "./_jsonc.ts";
import type { ModuleGraph } from "./_module_graph.ts";

/** As much of a `package.json` as matters here. */
interface PackageJson {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** How many files of one package are looked at: more than any package with an addon has. */
const maxFiles = 5_000;

/**
 * Finds a package that cannot do without a native addon: one that has a `.node` file, or an optional
 * dependency that does (its build for this platform). Optional dependencies that only wrap such builds are
 * no reason: their users have a way without them.
 *
 * @param used folders of the packages in a bundle, by `name@version`
 * @param direct those of them that the user's modules import
 * @returns it and, before it, the packages that need it; `undefined` if there is none
 */
export async function findNativeAddon(
  graph: ModuleGraph,
  used: ReadonlyMap<string, string>,
  direct: Iterable<string>,
): Promise<string[] | undefined> {
  const queue = Array.from(direct, (id) => [id]);
  const seen = new Set<string>();
  for (const chain of queue) {
    const id = chain.at(-1)!;
    const folder = used.get(id);
    if (folder === undefined || seen.has(id)) continue;
    seen.add(id);
    if (await hasAddon(folder)) return chain;
    const { dependencies = {}, optionalDependencies = {} } = await readPackage(folder);
    for (const name of Object.keys(optionalDependencies)) {
      const build = dependencyFolder(graph, id, folder, name);
      if (build !== undefined && await hasAddon(build)) return chain;
    }
    const needed = [...used.keys()].filter((other) => {
      const name = other.replace(/(?<=.)@.*$/, "");
      return name in dependencies && !(name in optionalDependencies);
    });
    queue.push(...needed.map((other) => [...chain, other]));
  }
  return undefined;
}

/** Where a dependency is unpacked: in Deno's cache, or beside its user in `node_modules`. */
function dependencyFolder(
  graph: ModuleGraph,
  id: string,
  folder: string,
  name: string,
): string | undefined {
  const needed = graph.npmPackages[id]?.dependencies ?? [];
  const known = needed.map((other) => graph.npmPackages[other]).find((other) =>
    other?.name === name
  );
  if (known?.localPath !== undefined) return known.localPath;
  const modules = /^.*[/\\]node_modules(?=[/\\])/.exec(folder)?.[0];
  return modules === undefined ? undefined : join(modules, name);
}

async function readPackage(folder: string): Promise<PackageJson> {
  return parseJsonc(await Deno.readTextFile(join(folder, "package.json"))) as PackageJson;
}

async function hasAddon(folder: string): Promise<boolean> {
  const folders = [folder];
  let files = 0;
  for (const at of folders) {
    for (const { name, isDirectory } of await list(at)) {
      if (name.endsWith(".node")) return true;
      if (isDirectory && name !== "node_modules") folders.push(join(at, name));
      if (++files > maxFiles) return false;
    }
  }
  return false;
}

/** What is in a folder; nothing if the package was not installed for this platform. */
async function list(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

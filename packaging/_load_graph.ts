import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, PackagingError } from "../core/errors.ts";
import { projectImportMap, resolveAliases } from "./_aliases.ts";
import { type DenoChildOptions, runDeno } from "./_deno_child.ts";
import { essence, PackagingFaults } from "./_faults.ts";
import { ModuleGraph } from "./_module_graph.ts";
import { ModuleNames } from "./_names.ts";
import type { Project } from "./_project.ts";

/** All that the steps of one build share. */
export interface Build {
  /** The entry's URL. */
  entry: string;
  /** What each Deno subcommand is told, so that all resolve alike. */
  flags: readonly string[];
  /** How they are run. */
  child: DenoChildOptions;
  /** The user's part of the module graph. */
  graph: ModuleGraph;
  /** What its modules are called. */
  names: ModuleNames;
  /** How its faults are worded. */
  faults: PackagingFaults;
}

/** What {@linkcode loadGraph} starts from. */
export interface LoadGraphOptions {
  /** The entry's URL. */
  entry: string;
  /** Its project; `undefined` for a remote entry. */
  project: Project | undefined;
  /** A `deno.json` to take instead of the project's. */
  config: string | undefined;
  /** A folder for files of this build. */
  scratch: string;
  /** How children are run. */
  child: DenoChildOptions;
}

/**
 * Reads the module graph, by `deno info`. Where Deno cannot resolve an import that TypeScript's `paths` can,
 * or may not load from a host that this process may load from, it is told and asked again.
 *
 * @throws {PackagingError} if the graph cannot be read, or an import leads nowhere
 */
export async function loadGraph(
  { entry, project, config, scratch, child }: LoadGraphOptions,
): Promise<Build> {
  const base = [...await configFlags(project, config), ...await lockFlags(project, scratch)];
  const hosts = new Set<string>();
  const aliases: Record<string, string> = {};
  const allHosts = await mayImport();
  while (true) {
    const flags = [...base, ...importFlags(allHosts, hosts)];
    if (Object.keys(aliases).length > 0) {
      flags.push(`--import-map=${await writeImportMap(project!, aliases, scratch)}`);
    }
    const graph = await readGraph(entry, flags, child);
    const known = hosts.size + Object.keys(aliases).length;
    for (const { error } of graph.broken) {
      const host = /^Requires import access to "([^"]+)"/.exec(error)?.[1];
      if (host !== undefined && await mayImport(host)) hosts.add(host);
    }
    const unresolved = graph.broken.map(({ chain }) => chain.at(-1)!);
    Object.assign(aliases, await resolveAliases(unresolved, project?.configs ?? []));
    if (hosts.size + Object.keys(aliases).length > known) continue;
    const names = new ModuleNames(
      graph,
      entry.startsWith("file:") ? fileURLToPath(entry) : undefined,
    );
    const faults = new PackagingFaults(graph, names, entry);
    const [broken] = graph.broken;
    if (broken !== undefined) throw faults.broken(broken);
    return { entry, flags, child, graph, names, faults };
  }
}

/** Whether this process may import from a host, or from all. */
async function mayImport(host?: string): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "import", host });
  return state === "granted";
}

function importFlags(allHosts: boolean, hosts: ReadonlySet<string>): string[] {
  if (allHosts) return ["--allow-import"];
  return hosts.size === 0 ? [] : [`--allow-import=${[...hosts].join(",")}`];
}

function configFlags(project: Project | undefined, config: string | undefined): string[] {
  if (config !== undefined) return [`--config=${config}`];
  return project === undefined ? ["--no-config"] : [];
}

/** Deno works with a copy of the lock file: packaging must not write into the user's project. */
async function lockFlags(project: Project | undefined, scratch: string): Promise<string[]> {
  if (project?.lock === undefined) return ["--no-lock"];
  const copy = join(scratch, "deno.lock");
  await Deno.copyFile(project.lock, copy);
  return [`--lock=${copy}`];
}

async function writeImportMap(
  { configs }: Project,
  aliases: Record<string, string>,
  scratch: string,
): Promise<string> {
  const { imports, scopes } = await projectImportMap(configs);
  const path = join(scratch, "import_map.json");
  await Deno.writeTextFile(path, JSON.stringify({ imports: { ...imports, ...aliases }, scopes }));
  return path;
}

async function readGraph(
  entry: string,
  flags: readonly string[],
  child: DenoChildOptions,
): Promise<ModuleGraph> {
  const { ok, stdout, stderr } = await runDeno(["info", "--json", ...flags, entry], child);
  try {
    return new ModuleGraph(JSON.parse(stdout));
  } catch (cause) {
    const said = ok ? messageOf(cause) : essence(stderr);
    throw new PackagingError(`Cannot package ${entry} as deno info failed: ${said}`, { cause });
  }
}

import { dirname, join, resolve } from "node:path";
import { PackagingError } from "../core/errors.ts";
import type { ProjectConfig } from "./_project.ts";

/** How other configurations are read. */
export interface ExtendOptions {
  /** Reads one; `undefined` if there is none. */
  read(path: string): Promise<ProjectConfig | undefined>;
  /** Takes the paths of all that were looked for. */
  seen: Set<string>;
}

/**
 * A `tsconfig.json` with the aliases of those that it extends: its own `paths` stand for all of theirs, and of several
 * the last that has some counts, as in TypeScript. Aliases start at `baseUrl`, else at the file that has them.
 *
 * @throws {PackagingError} if one that it extends is not there, or they extend each other
 */
export async function withExtended(
  config: ProjectConfig,
  { read, seen }: ExtendOptions,
  line: readonly string[] = [],
): Promise<ProjectConfig> {
  const { path, compilerOptions = {} } = config;
  const own = {
    ...(compilerOptions.paths !== undefined && { paths: compilerOptions.paths }),
    baseUrl: resolve(dirname(path), compilerOptions.baseUrl ?? "."),
  };
  if (!isTsconfig(config, line)) return config;
  if (line.includes(path)) throw fault(path, `it extends itself: ${[...line, path].join(" -> ")}`);
  let inherited: ProjectConfig["compilerOptions"] = {};
  for (const name of [config.extends ?? []].flat()) {
    const base = await readExtended(name, path, { read, seen });
    const { compilerOptions: theirs = {} } = await withExtended(base, { read, seen }, [
      ...line,
      path,
    ]);
    inherited = { ...inherited, ...theirs };
  }
  const hasBase = compilerOptions.baseUrl !== undefined;
  const merged = own.paths !== undefined || hasBase ? { ...inherited, ...own } : inherited;
  return { ...config, compilerOptions: merged };
}

/** Whether a configuration may extend others: `deno.json` may not. */
function isTsconfig({ path, extends: others }: ProjectConfig, line: readonly string[]): boolean {
  const isDeno = /(deno\.jsonc?|package\.json)$/.test(path);
  return !isDeno && (others !== undefined || line.length > 0);
}

async function readExtended(
  name: string,
  from: string,
  { read, seen }: ExtendOptions,
): Promise<ProjectConfig> {
  for (const path of candidates(name, dirname(from))) {
    seen.add(path);
    const config = await read(path);
    if (config !== undefined) return config;
  }
  throw fault(from, `it extends ${name}, which is not there`);
}

/** Where a configuration may be: beside the one that names it, or in a package. */
function candidates(name: string, folder: string): string[] {
  const endings = name.endsWith(".json") ? [""] : [".json", "/tsconfig.json"];
  if (/^\.{0,2}[/\\]|^\.{1,2}$|^[A-Z]:/i.test(name)) {
    return endings.map((ending) => resolve(folder, name + ending));
  }
  return ancestors(folder).flatMap((above) =>
    endings.map((ending) => join(above, "node_modules", name + ending))
  );
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

function fault(path: string, reason: string): PackagingError {
  return new PackagingError(`Cannot package as ${path} cannot be used: ${reason}`);
}

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, PackagingError } from "../core/errors.ts";
import { withExtended } from "./_extended_config.ts";
import { parseJsonc } from "./_jsonc.ts";

/** The parts of `deno.json`, `package.json` and `tsconfig.json` that packaging looks at itself. */
export interface ProjectConfig {
  /** Where it was read. */
  path: string;
  /** `imports` of an import map. */
  imports?: Record<string, string>;
  /** `scopes` of an import map. */
  scopes?: Record<string, Record<string, string>>;
  /** A file with both. */
  importMap?: string;
  /** The lock file. */
  lock?: boolean | string | { path?: string };
  /** TypeScript's own aliases. */
  compilerOptions?: { paths?: Record<string, string[]>; baseUrl?: string };
  /** Other files that a `tsconfig.json` goes on from. */
  extends?: string | string[];
}

/** The project that an entry belongs to, as Deno would find it. */
export interface Project {
  /** Where Deno is run, so that it finds the same configuration as for `deno run`. */
  directory: string;
  /** Configurations from the nearest to the outermost. */
  configs: readonly ProjectConfig[];
  /** The lock file, where there is one. */
  lock: string | undefined;
  /** Files whose appearance, change or removal may change the outcome. */
  watch: readonly string[];
}

const configNames = ["deno.json", "deno.jsonc", "package.json", "tsconfig.json"];
const otherNames = ["deno.lock", ".npmrc"];

/**
 * Finds the project of a local entry.
 *
 * @param config a `deno.json` to take instead of the one that would be found
 * @throws {PackagingError} if a configuration cannot be read
 */
export async function findProject(entry: URL, config: URL | undefined): Promise<Project> {
  const directory = dirname(fileURLToPath(entry));
  const folders = ancestors(directory);
  const found = folders.flatMap((folder) => configNames.map((name) => join(folder, name)));
  const paths = config === undefined ? found : [fileURLToPath(config), ...found];
  const read = (await Promise.all(paths.map(readConfig))).filter((config) => config !== undefined);
  const extended = new Set<string>();
  const configs = await Promise.all(
    read.map((each) => withExtended(each, { read: readConfig, seen: extended })),
  );
  const maps = configs.flatMap(({ path, importMap }) =>
    importMap === undefined || importMap.includes("://") ? [] : [resolve(dirname(path), importMap)]
  );
  const others = folders.flatMap((folder) => otherNames.map((name) => join(folder, name)));
  const lock = await findLock(configs);
  return {
    directory,
    configs,
    lock,
    watch: [...paths, ...extended, ...others, ...maps, ...(lock === undefined ? [] : [lock])],
  };
}

/** A folder and all above it, the nearest first. */
function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

async function readConfig(path: string): Promise<ProjectConfig | undefined> {
  try {
    const read = parseJsonc(await Deno.readTextFile(path));
    return { ...(read as ProjectConfig), path };
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw new PackagingError(`Cannot package as ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The lock file that Deno would use: the nearest there is. */
async function findLock(configs: readonly ProjectConfig[]): Promise<string | undefined> {
  if (configs.some(({ lock }) => lock === false)) return undefined;
  for (const { path, lock } of configs) {
    const named = typeof lock === "string"
      ? lock
      : typeof lock === "object"
      ? lock.path
      : undefined;
    const file = resolve(dirname(path), named ?? "deno.lock");
    if (await exists(file)) return file;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** A file that is not there, or in a folder that this process may not read, as those above a project. */
function isAbsent(error: unknown): boolean {
  const { NotFound, NotCapable, PermissionDenied } = Deno.errors;
  return [NotFound, NotCapable, PermissionDenied].some((absent) => error instanceof absent);
}

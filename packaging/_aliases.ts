import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseJsonc } from "./_jsonc.ts";
import type { ProjectConfig } from "./_project.ts";

/** An import map, all of its addresses absolute. */
export interface ImportMap {
  /** Specifiers and where they lead. */
  imports: Record<string, string>;
  /** The same for the modules of a folder. */
  scopes: Record<string, Record<string, string>>;
}

/** What TypeScript tries behind an alias, in its order. */
const endings = ["", ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".json"];
const candidates = [...endings, ...endings.slice(1).map((ending) => `/index${ending}`)];

/**
 * Finds the files that TypeScript's `paths` mean. Deno knows `paths` only when it checks types; for a
 * bundle they are turned into an import map.
 *
 * @param specifiers imports that Deno could not resolve
 * @returns the address of each that a `paths` leads to a file
 */
export async function resolveAliases(
  specifiers: Iterable<string>,
  configs: readonly ProjectConfig[],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const specifier of new Set(specifiers)) {
    const file = await firstFile(aliasTargets(specifier, configs));
    if (file !== undefined) found[specifier] = pathToFileURL(file).href;
  }
  return found;
}

/** The files that an alias may mean, the most exact pattern of the nearest configuration first. */
function aliasTargets(specifier: string, configs: readonly ProjectConfig[]): string[] {
  return configs.flatMap(({ path, compilerOptions: { paths = {}, baseUrl = "." } = {} }) =>
    Object.keys(paths)
      .sort((a, b) => prefixOf(b).length - prefixOf(a).length)
      .flatMap((pattern) => {
        const rest = matchPattern(pattern, specifier);
        if (rest === undefined) return [];
        const base = resolve(dirname(path), baseUrl);
        return paths[pattern]!.map((target) => join(base, target.replace("*", () => rest)));
      })
  );
}

function prefixOf(pattern: string): string {
  return pattern.split("*", 1)[0]!;
}

/** What the star of a pattern stands for; `undefined` if the pattern does not fit. */
function matchPattern(pattern: string, specifier: string): string | undefined {
  const [prefix = "", suffix] = pattern.split("*");
  if (suffix === undefined) return pattern === specifier ? "" : undefined;
  const fits = specifier.length >= prefix.length + suffix.length &&
    specifier.startsWith(prefix) && specifier.endsWith(suffix);
  return fits ? specifier.slice(prefix.length, specifier.length - suffix.length) : undefined;
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    for (const candidate of candidates) {
      const isFile = await Deno.stat(path + candidate).then((info) => info.isFile, () => false);
      if (isFile) return path + candidate;
    }
  }
  return undefined;
}

/** The project's own import map, with addresses that hold wherever it is written to. */
export async function projectImportMap(configs: readonly ProjectConfig[]): Promise<ImportMap> {
  const map: ImportMap = { imports: {}, scopes: {} };
  for (const config of configs.toReversed()) {
    if (!/deno\.jsonc?$/.test(config.path)) continue;
    const { path, imports = {}, scopes = {} } = await withImportMapFile(config);
    const base = pathToFileURL(path);
    Object.assign(map.imports, absoluteImports(imports, base));
    for (const [scope, scoped] of Object.entries(scopes)) {
      map.scopes[new URL(scope, base).href] = absoluteImports(scoped, base);
    }
  }
  return map;
}

async function withImportMapFile(config: ProjectConfig): Promise<ProjectConfig> {
  if (config.importMap === undefined || config.importMap.includes("://")) return config;
  const path = resolve(dirname(config.path), config.importMap);
  return { ...parseJsonc(await Deno.readTextFile(path)) as ProjectConfig, path };
}

function absoluteImports(imports: Record<string, string>, base: URL): Record<string, string> {
  const absolute: Record<string, string> = {};
  for (const [key, target] of Object.entries(imports)) {
    const isRelative = /^\.{0,2}\//.test(target);
    absolute[/^\.{0,2}\//.test(key) ? new URL(key, base).href : key] = isRelative
      ? new URL(target, base).href
      : target;
    // Deno's own short form: a package is mapped with all that is below it.
    if (/^(npm|jsr):/.test(target) && !key.endsWith("/") && !(`${key}/` in imports)) {
      absolute[`${key}/`] = `${target.replace(/^(npm|jsr):\/?/, "$1:/")}/`;
    }
  }
  return absolute;
}

import { isBuiltin } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runDeno } from "./_deno_child.ts";
import type { PackagingFaults } from "./_faults.ts";
import type { Build } from "./_load_graph.ts";
import type { ModuleGraph } from "./_module_graph.ts";
import type { ImportUse } from "./_module_syntax.ts";
import type { ModuleName, ModuleNames } from "./_names.ts";
import { readModule } from "./_read_module.ts";
import { rewriteImports } from "./_rewrite_imports.ts";
import { joinSourceMap, originalPosition, type SourceMap, splitSourceMap } from "./_source_map.ts";
import { defaultMaxTokens, faultOf } from "./lex_bundle.ts";
import { isSdk, sdkExternals } from "./sdk.ts";

/** A module that went into the code. */
export interface BundledSource extends ModuleName {
  /** Its path on this machine, or its address. */
  source: string;
}

/** One ES module made of many. */
export interface BundledCode {
  /** The code with its source map. */
  code: string;
  /** What it exports, sorted. */
  exports: string[];
  /** What it is made of. */
  sources: BundledSource[];
  /** Whether it holds all files that fit a pattern, so that a new file may change it. */
  isOpenEnded: boolean;
}

/**
 * Makes one ES module of the user's part of a graph, by `deno bundle`, so that nothing in it tells of this
 * machine, and that it imports nothing but the SDK.
 *
 * @throws {PackagingError} if something cannot travel
 */
export async function bundleCode(
  { entry, flags, child, graph, names, faults }: Build,
): Promise<BundledCode> {
  const externals = [...sdkExternals(), ...graph.sdkNames].map((name) => `--external=${name}`);
  const args = ["bundle", "--quiet", "--sourcemap=inline", ...flags, ...externals, entry];
  const { ok, stdout, stderr } = await runDeno(args, child);
  if (!ok) throw faults.bundling(stderr);
  const { code: raw, map } = splitSourceMap(stdout);
  const sources = map.sources.map((source) => nameSource(source, child.cwd, names));
  const renamed = renameModules(raw, sources, child.cwd);
  const { imports, exports, workers } = await readModule(renamed, defaultMaxTokens);
  for (const { specifier, start } of workers) {
    // in packages they are a way that need not be taken
    const at = sourceAt(start, renamed, { map, sources });
    if (at?.source.kind === "npm") continue;
    const reason =
      `it starts a Worker of ${specifier ?? "a computed module"}, and a sandbox has none ` +
      "(make it a node: it runs beside others without one)";
    throw faultAt(at, reason, faults);
  }
  const left = imports.flatMap((use) => {
    const reason = faultIn(use, graph);
    if (reason !== undefined) {
      throw faultAt(sourceAt(use.start, renamed, { map, sources }), `it ${reason}`, faults);
    }
    return use.kind === "meta" ? [] : [{ use, isSdk: !isBuiltin(use.specifier!) }];
  });
  const code = rewriteImports(renamed, left);
  const named = sources.map(({ kind, name }) => kind === "local" ? `bundle:///${name}` : name);
  return {
    code: joinSourceMap(code, { ...map, sources: named }),
    exports: exports.toSorted(),
    sources,
    isOpenEnded: /^var __glob = /m.test(raw),
  };
}

function nameSource(source: string, cwd: string, names: ModuleNames): BundledSource {
  const path = /^[a-z]{2,}:/.test(source) ? source : resolve(cwd, source);
  return { source: path, ...names.of(path) };
}

/**
 * Gives modules of npm, and those outside the project, their names in the comment and in the key that the
 * bundler writes for each: there they are paths on this machine.
 */
function renameModules(code: string, sources: readonly BundledSource[], cwd: string): string {
  const renamed = new Map<string, string>();
  for (const { kind, source, name } of sources) {
    const isElsewhere = kind === "npm" || name.startsWith("outside/");
    if (isElsewhere) renamed.set(relative(cwd, source).replaceAll("\\", "/"), name);
  }
  return code.replace(/^#!.*/, "").replace(
    /^(\/\/ |\s+(?:async )?")([^"\n]+)(?=$|"\()/gm,
    (line, start: string, module: string) => {
      const name = renamed.get(module);
      return name === undefined ? line : start + name;
    },
  );
}

/** Why an import that is left cannot travel; `undefined` if it can. */
function faultIn(use: ImportUse, graph: ModuleGraph): string | undefined {
  const { kind, specifier, hasExtras } = use;
  if (kind === "meta" || specifier === undefined || hasExtras) return faultOf(use);
  if (isBuiltin(specifier)) {
    const isStar = kind === "re-export" || kind === "re-export-all";
    return isStar
      ? `re-exports "${specifier}" as a whole, so that its names are not known`
      : undefined;
  }
  const url = /^([/\\]|[A-Z]:)/i.test(specifier) ? pathToFileURL(specifier).href : specifier;
  return isSdk(url) || graph.sdkNames.has(specifier) ? undefined : `imports "${specifier}"`;
}

/** A place in the user's source. */
interface SourcePlace {
  source: BundledSource;
  line: number;
  column: number;
}

/** Where in the user's source a place of the code comes from. */
function sourceAt(
  start: number,
  code: string,
  { map, sources }: { map: SourceMap; sources: BundledSource[] },
): SourcePlace | undefined {
  const before = code.slice(0, start).split("\n");
  const at = originalPosition(map, before.length - 1, before.at(-1)!.length);
  return at && { source: sources[at.source]!, line: at.line, column: at.column };
}

/** Names the place in the user's source where something is that cannot travel. */
function faultAt(at: SourcePlace | undefined, reason: string, faults: PackagingFaults): Error {
  if (at === undefined) return faults.whole(reason);
  const { source } = at.source;
  const module = /^[a-z]{2,}:/.test(source) ? source : pathToFileURL(source).href;
  return faults.inModule(reason, module, `:${at.line}:${at.column}`);
}

import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PackagingError } from "../core/errors.ts";
import { writeBundle } from "./_archive.ts";
import { bundleCode, type BundledSource } from "./_bundle_code.ts";
import { collectModules, filesToWatch } from "./_collect_modules.ts";
import { type DataSources, readData } from "./_data_sources.ts";
import { runDeno } from "./_deno_child.ts";
import { packageOf } from "./_faults.ts";
import { type Build, loadGraph } from "./_load_graph.ts";
import { findNativeAddon } from "./_native_addons.ts";
import { findProject } from "./_project.ts";
import type { Bundle } from "./bundle.ts";
import type { BundlePermissions } from "./permissions.ts";
import { isSdk, sdkVersion } from "./sdk.ts";

/** A bundle to build: arguments of `createBundle`, checked. */
export interface BuildRequest {
  /** The entry's URL. */
  entry: URL;
  /** A `deno.json` to take instead of the one that would be found. */
  config: URL | undefined;
  /** Whether types are checked. */
  check: boolean;
  /** Where data files are. */
  data: DataSources;
  /** What the bundle asks for. */
  permissions: Required<BundlePermissions>;
  /** The most bytes that it may have. */
  maxBytes: number;
}

/** What came of it. */
export interface BuildResult {
  /** The bundle. */
  bundle: Bundle;
  /** Files whose appearance, change or removal may change it; `undefined` if there is no saying. */
  watch: readonly string[] | undefined;
}

/** How much a subcommand may write: a bundle in base 64 with its source map, many times over. */
const maxOutputBytes = 512 * 1024 * 1024;

/**
 * Builds a bundle: graph, code and types, modules and data, archive.
 *
 * @throws {PackagingError} if something cannot travel
 * @throws the signal's reason, once it is aborted; no child is left then
 */
export async function build(request: BuildRequest, signal: AbortSignal): Promise<BuildResult> {
  const entry = await realEntry(request.entry);
  const scratch = await Deno.makeTempDir({ prefix: "remotemedia-pack-" });
  try {
    return await buildIn(scratch, { ...request, entry }, signal);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The entry in its folder's real place, where Deno's children find themselves. */
async function realEntry(entry: URL): Promise<URL> {
  if (entry.protocol !== "file:") return entry;
  const path = fileURLToPath(entry);
  try {
    return pathToFileURL(join(await Deno.realPath(dirname(path)), basename(path)));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new PackagingError(`Cannot package ${basename(path)} as a module is missing: ${path}`, {
      cause,
    });
  }
}

async function buildIn(
  scratch: string,
  { entry, config, check, data, permissions, maxBytes }: BuildRequest,
  signal: AbortSignal,
): Promise<BuildResult> {
  const isLocal = entry.protocol === "file:";
  const project = isLocal ? await findProject(entry, config) : undefined;
  const loaded = await loadGraph({
    entry: entry.href,
    project,
    config: config && fileURLToPath(config),
    scratch,
    child: { cwd: project?.directory ?? scratch, maxOutputBytes, signal },
  });
  const { graph, names, faults } = loaded;
  const [bundled, types] = await Promise.allSettled([
    bundleCode(loaded),
    check ? checkTypes(loaded) : undefined,
  ]);
  if (bundled.status === "rejected") throw bundled.reason;
  if (types.status === "rejected") throw types.reason;
  const { code, exports, sources, isOpenEnded } = bundled.value;
  await refuseNative(loaded, sources);
  const about = {
    format: 1,
    entry: names.of(entry.href).name,
    exports,
    sdk: sdkVersion,
    runtime: Deno.version.deno,
    permissions,
    modules: await collectModules(graph, names, sources),
  } as const;
  const files = await readData(data, maxBytes - code.length, faults);
  const bundle = await writeBundle({ about, code, files });
  if (bundle.bytes.length > maxBytes) throw tooLarge(bundle, maxBytes, loaded);
  const watch = [...project?.watch ?? [], ...filesToWatch(graph, sources), ...data.values()];
  const root = isLocal ? { root: pathToFileURL(`${names.root}/`) } : {};
  return { bundle: { ...bundle, ...root }, watch: isOpenEnded ? undefined : watch };
}

/** Checks the types of all modules with the project's own compiler options; the SDK's are not the user's. */
async function checkTypes({ entry, flags, child, faults }: Build): Promise<void> {
  const { ok, stderr } = await runDeno(["check", "--quiet", ...flags, entry], child);
  const places = Array.from(stderr.matchAll(/^\s+at (\S+?):\d+:\d+$/gm), ([, module]) => module!);
  const isOfUser = places.length === 0 || places.some((module) => !isSdk(module));
  if (!ok && isOfUser) throw faults.types(stderr);
}

async function refuseNative(
  { graph, names, faults }: Build,
  sources: readonly BundledSource[],
): Promise<void> {
  const used = new Map<string, string>();
  for (const { kind, name, source } of sources) {
    if (kind !== "npm") continue;
    const id = packageOf(name);
    const depth = name.slice(`npm:/${id}/`.length).split("/").length;
    let folder = source;
    for (let up = 0; up < depth; up++) folder = dirname(folder);
    used.set(id, folder);
  }
  const direct = [...graph.modules.values()].flatMap(({ specifier, npmPackage }) => {
    if (npmPackage !== undefined) return [npmPackage];
    const { kind, name } = names.of(specifier);
    return kind === "npm" ? [packageOf(name)] : [];
  });
  const native = await findNativeAddon(graph, used, direct);
  if (native !== undefined) throw faults.native(native);
}

function tooLarge(
  { bytes, manifest }: Bundle,
  maxBytes: number,
  { faults }: Build,
): PackagingError {
  const largest = [...manifest.files, ...manifest.modules].sort((a, b) => b.size - a.size).slice(
    0,
    3,
  );
  const parts = largest.map(({ name, size }) => `${name} (${size})`).join(", ");
  return faults.whole(
    `it is over the size limit of ${maxBytes} bytes: it has ${bytes.length}, the largest of it ${parts}`,
  );
}

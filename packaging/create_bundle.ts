import { pathToFileURL } from "node:url";
import { z } from "zod";
import { cannot } from "../core/errors.ts";
import { parseOptions } from "../core/options.ts";
import { build, type BuildRequest } from "./_build.ts";
import { BuildCache, type CachedBuild } from "./_build_cache.ts";
import { CacheFolder } from "./_cache_folder.ts";
import { type DataFileRequest, locateData } from "./_data_sources.ts";
import { type FileStamp, stampFiles } from "./_file_stamps.ts";
import { SharedFlight } from "./_shared_flight.ts";
import type { Bundle } from "./bundle.ts";
import { defaultMaxBytes } from "./open_bundle.ts";
import { type BundlePermissions, permissionsSchema } from "./permissions.ts";
import { isSdk, sdkVersion } from "./sdk.ts";

/** How {@linkcode createBundle} packages. */
export interface CreateBundleOptions {
  /** Whether types are checked first, with the project's compiler options. @default true */
  check?: boolean;
  /**
   * Data files to take along: names beside the entry, such as `["model.onnx"]`, or names in the bundle and
   * where the files are, such as `{ "model.onnx": "../models/small.onnx" }`. The code reads them with
   * {@linkcode dataFile}.
   *
   * A folder stands for all files below it, and `["models/*.onnx", "data/**"]` for those that fit: 10,000 at the
   * most, in the order of their names, without those whose own or whose folder's name starts with a dot. A symbolic
   * link among them is refused; one that is named itself is followed.
   *
   * @default []
   */
  include?: DataFileRequest;
  /** What the code asks to be allowed where it will run. @default nothing */
  permissions?: BundlePermissions;
  /** The most bytes that the bundle may have. @default 268_435_456 (256 MiB) */
  maxBytes?: number;
  /** A `deno.json` to take instead of the one that Deno finds for the entry. */
  config?: string | URL;
  /** A folder in which bundles are kept for later processes, 1 GiB at the most. @default in memory only */
  cacheDirectory?: string;
  /** Gives up, and kills what it started. */
  signal?: AbortSignal;
}

/** Options, checked. */
type CheckedOptions =
  & Required<Omit<CreateBundleOptions, "config" | "cacheDirectory" | "signal">>
  & {
    permissions: Required<BundlePermissions>;
    config: string | undefined;
    cacheDirectory: string | undefined;
    signal: AbortSignal | undefined;
  };

const source = z.union([z.string().min(1), z.instanceof(URL)]);

const optionsSchema = z.strictObject({
  check: z.boolean().default(true),
  include: z.union([z.array(z.string()), z.record(z.string(), source)]).default([]),
  permissions: permissionsSchema.prefault({}),
  maxBytes: z.int().min(1).default(defaultMaxBytes),
  config: source.transform(fileHref).optional(),
  cacheDirectory: z.string().min(1).optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

const memory = new BuildCache();
const flights = new SharedFlight<CachedBuild>();

/** How often a bundle is made anew because files changed under the work. */
const maxAttempts = 3;

/** The clock of files ticks in steps of up to this many ms. */
const fileClockStepMs = 15;

/**
 * Packages a module and all that it imports, so that it can run elsewhere without them: `deno info` gives the
 * module graph, `deno bundle` makes one ES module of it, `deno check` checks its types, each in a process of
 * its own. The SDK stays outside: imports of it, however written, become the one import of
 * `@remotemedia/sdk`, which the other side resolves to its own copy.
 *
 * The same sources give the same bytes on any machine and in any folder. Nothing is written into the project.
 *
 * A bundle is kept in memory (the last 32, 128 MiB at the most), and given again at once as long as no module,
 * configuration, lock file or data file changed. Calls at the same time for the same thing share the work.
 *
 * Works as far as Deno does: import maps, `deno.json`, `package.json`, workspaces, remote modules, npm packages,
 * JSON, text and WASM imports, top-level await; TypeScript's `paths` too. Needs the permissions to run Deno, and
 * to read the project and write to the temporary folder.
 *
 * @param entry the module, a `file:` or `http(s):` URL, for example `import.meta.url`
 * @throws {PackagingError} naming the reason and the chain of imports: a module that is missing, a specifier
 * computed at run time, a native addon, a type error, a data file that is missing, or too large
 * @throws {TypeError | RangeError} if an option breaks its rule, or the entry is no such URL or part of the SDK
 * @throws the signal's reason, once it is aborted
 *
 * @example
 * ```ts
 * import { createBundle } from "@remotemedia/sdk/packaging";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${directory}/hello.ts`, "export const hello = (): string => 'hello';");
 * const { digest, manifest } = await createBundle(`file://${directory}/hello.ts`);
 * console.log(digest.length, manifest.exports); // 64 ["hello"]
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function createBundle(
  entry: string | URL,
  options: CreateBundleOptions = {},
): Promise<Bundle> {
  const { signal, cacheDirectory, ...checked } = parseOptions(
    "bundle",
    optionsSchema,
    options,
  ) as CheckedOptions;
  signal?.throwIfAborted();
  const url = checkEntry(entry);
  const request: BuildRequest = {
    entry: url,
    config: checked.config === undefined ? undefined : new URL(checked.config),
    check: checked.check,
    data: locateData(checked.include, url),
    permissions: checked.permissions,
    maxBytes: checked.maxBytes,
  };
  const key = JSON.stringify([
    { ...request, data: [...request.data] },
    cacheDirectory,
    sdkVersion,
    Deno.version.deno,
  ]);
  const cached = memory.get(key);
  if (cached !== undefined) return cached;
  const make = (stop: AbortSignal) => makeOrRecall(key, request, { cacheDirectory, signal: stop });
  return (await flights.join(key, make, signal)).bundle;
}

/** The entry as URL. */
function checkEntry(entry: string | URL): URL {
  const fault = (rule: string) =>
    new TypeError(cannot("create bundle", { rule, value: String(entry) }));
  if (!URL.canParse(String(entry))) throw fault("entry must be a URL");
  const url = new URL(entry);
  if (!/^(file|https?):$/.test(url.protocol)) throw fault("entry must be a file: or http(s): URL");
  if (isSdk(url.href)) throw fault("entry must be the user's own: the SDK is already there");
  return url;
}

function fileHref(config: string | URL): string {
  return URL.canParse(String(config)) ? String(config) : pathToFileURL(String(config)).href;
}

interface MakeOptions {
  cacheDirectory: string | undefined;
  signal: AbortSignal;
}

async function makeOrRecall(
  key: string,
  request: BuildRequest,
  { cacheDirectory, signal }: MakeOptions,
): Promise<CachedBuild> {
  const folder = cacheDirectory === undefined ? undefined : await CacheFolder.open(cacheDirectory);
  const recalled = await folder?.get(key);
  if (recalled !== undefined) {
    memory.set(key, recalled);
    return recalled;
  }
  const { bundle, stamps } = await makeUndisturbed(request, signal);
  if (stamps === undefined) return { bundle, stamps: [] };
  const made = { bundle, stamps };
  memory.set(key, made);
  await folder?.set(key, made);
  return made;
}

/** Makes a bundle; again if a file was written meanwhile, so that it is of one state of the project. */
async function makeUndisturbed(
  request: BuildRequest,
  signal: AbortSignal,
): Promise<{ bundle: Bundle; stamps: FileStamp[] | undefined }> {
  for (let attempt = 1;; attempt++) {
    const startedMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, fileClockStepMs));
    const { bundle, watch } = await build(request, signal);
    if (watch === undefined) return { bundle, stamps: undefined };
    const stamps = stampFiles(watch);
    const endedMs = Date.now();
    const isWritten = ({ writtenMs }: FileStamp) => writtenMs > startedMs && writtenMs <= endedMs;
    if (!stamps.some(isWritten)) return { bundle, stamps };
    if (attempt === maxAttempts) return { bundle, stamps: undefined };
  }
}

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cannot } from "../core/errors.ts";
import { isDataName } from "./_archive.ts";
import { expandInclude } from "./_expand_include.ts";
import type { PackagingFaults } from "./_faults.ts";

/** Where the data files of a bundle are on this machine, by their names in it. */
export type DataSources = ReadonlyMap<string, string>;

/** Data files as a caller asks for them: names, folders and patterns beside the entry, or names and where files or folders are. */
export type DataFileRequest = readonly string[] | Readonly<Record<string, string | URL>>;

/**
 * Finds out where data files are, without reading them.
 *
 * @throws {PackagingError} if a folder or pattern cannot be taken
 * @throws {TypeError} if a name is unsafe, or stands for no local file
 */
export function locateData(request: DataFileRequest, entry: URL): DataSources {
  const located = new Map<string, string>();
  for (const [asked, from] of namedSources(request)) {
    checkName(asked.replace(/\/+$/, ""));
    for (const [name, path] of expandInclude(asked, localPath(asked, from, entry))) {
      checkName(name);
      located.set(name, path);
    }
  }
  return located;
}

function checkName(name: string): void {
  if (isDataName(name)) return;
  const rule = "a data file's name must be a path of at most 95 bytes without .. and backslashes";
  throw new TypeError(cannot("create bundle", { rule, value: name }));
}

function namedSources(request: DataFileRequest): [string, string | URL | undefined][] {
  return Array.isArray(request)
    ? request.map((name) => [name, undefined])
    : Object.entries(request);
}

function localPath(name: string, from: string | URL | undefined, entry: URL): string {
  if (from !== undefined && URL.canParse(String(from))) {
    const url = new URL(from);
    if (url.protocol === "file:") return fileURLToPath(url);
  } else if (entry.protocol === "file:") {
    return join(dirname(fileURLToPath(entry)), String(from ?? name));
  }
  const rule = "a data file must be a local one";
  throw new TypeError(cannot("create bundle", { rule, value: String(from ?? name) }));
}

/**
 * Reads data files, unless they are too large together.
 *
 * @param room how many bytes they may have
 * @throws {PackagingError} naming the file that is missing or the largest one
 */
export async function readData(
  sources: DataSources,
  room: number,
  faults: PackagingFaults,
): Promise<Map<string, Uint8Array>> {
  const sizes = new Map<string, number>();
  for (const [name, path] of sources) sizes.set(name, await sizeOf(name, path, faults));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > Math.max(room, 0)) {
    const [largest] = [...sizes].sort(([, a], [, b]) => b - a);
    throw faults.whole(
      `it is over the size limit: its data files have ${total} bytes, "${largest![0]}" alone ` +
        `${largest![1]}, and there is room for ${Math.max(room, 0)}`,
    );
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, path] of sources) files.set(name, await Deno.readFile(path));
  return files;
}

async function sizeOf(name: string, path: string, faults: PackagingFaults): Promise<number> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (isFile) return size;
  } catch (cause) {
    throw faults.whole(`its data file "${name}" cannot be read at ${path}`, cause);
  }
  throw faults.whole(`its data file "${name}" is no file: ${path}`);
}

import { messageOf, PackagingError, SerializationError } from "../core/errors.ts";
import { isSafeName, readTar, type TarEntry, writeTar } from "./_tar.ts";
import { type Bundle, sha256Hex } from "./bundle.ts";
import { type BundleFile, type BundleManifest, manifestSchema } from "./bundle_manifest.ts";

const manifestName = "manifest.json";
const codeName = "bundle.js";
const dataPrefix = "data/";
const maxManifestBytes = 8 * 1024 * 1024;

/** What goes into an archive, but for the list of its files. */
export interface BundleParts {
  /** All that the manifest says beside `files`. */
  about: Omit<BundleManifest, "files">;
  /** `bundle.js`. */
  code: string;
  /** The data files by name. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** Whether a data file can be called so. */
export function isDataName(name: string): boolean {
  return isSafeName(dataPrefix + name);
}

/** Writes a bundle: the same bytes for the same parts, on any machine. */
export async function writeBundle({ about, code, files }: BundleParts): Promise<Bundle> {
  const names = [...files.keys()].sort();
  const entries = [
    { name: codeName, bytes: new TextEncoder().encode(code) },
    ...names.map((name) => ({ name: dataPrefix + name, bytes: files.get(name)! })),
  ];
  const manifest = { ...about, files: await Promise.all(entries.map(describe)) };
  const json = new TextEncoder().encode(manifestJson(manifest));
  const bytes = writeTar([{ name: manifestName, bytes: json }, ...entries]);
  return await readBundle(bytes);
}

/**
 * Reads an archive and holds it against its manifest: names, sizes and digests. Does not look into the code.
 *
 * @param expected the digest that the bytes must have
 * @throws {SerializationError} if the bytes are no archive, or have no manifest of this form
 * @throws {PackagingError} if the digest is another, or the manifest does not tell the truth
 */
export async function readBundle(
  bytes: Uint8Array<ArrayBuffer>,
  expected?: string,
): Promise<Bundle> {
  const digest = await sha256Hex(bytes);
  if (expected !== undefined && expected !== digest) {
    throw new PackagingError(`Cannot accept bundle as its digest is ${digest}, not ${expected}`);
  }
  const [first, ...entries] = readTar(bytes);
  const manifest = readManifest(first);
  const described = await Promise.all(entries.map(describe));
  for (let index = 0; index < Math.max(described.length, manifest.files.length); index++) {
    compare(manifest.files[index], described[index]);
  }
  if (
    entries[0]?.name !== codeName ||
    !entries.slice(1).every(({ name }) => name.startsWith(dataPrefix))
  ) {
    throw lie(`it has other files than ${codeName} and ${dataPrefix}`);
  }
  checkDataNames(entries.slice(1).map(({ name }) => name.slice(dataPrefix.length)));
  if (!manifest.modules.some(({ name }) => name === manifest.entry)) {
    throw lie(`its entry ${JSON.stringify(manifest.entry)} is none of its modules`);
  }
  return {
    digest,
    bytes,
    manifest,
    code: decode(entries[0], codeName),
    files: new Map(
      entries.slice(1).map((entry) => [entry.name.slice(dataPrefix.length), entry.bytes]),
    ),
  };
}

/** Data files lie beside the module where it runs, so none may be in the way of another, or of the module. */
function checkDataNames(names: readonly string[]): void {
  const taken = new Set([codeName, ...names]);
  for (const name of names) {
    if (name === codeName) {
      throw new PackagingError(
        `Cannot package data file "${name}" as the module itself has that name`,
      );
    }
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
      const folder = name.slice(0, at);
      if (!taken.has(folder)) continue;
      throw new PackagingError(`Cannot package data file "${name}" as "${folder}" is a file`);
    }
  }
}

function readManifest(entry: TarEntry | undefined): BundleManifest {
  if (entry?.name !== manifestName) {
    throw new SerializationError(`Cannot read bundle as its first file is not ${manifestName}`);
  }
  if (entry.bytes.length > maxManifestBytes) {
    throw new SerializationError(
      `Cannot read bundle as its manifest is over ${maxManifestBytes} bytes`,
    );
  }
  const json = decode(entry, manifestName);
  const manifest = parseManifest(json);
  // Repeated keys, another order or spelling would give one bundle two names.
  if (manifestJson(manifest) !== json) {
    throw new SerializationError(
      "Cannot read bundle as its manifest is not written in the one way",
    );
  }
  return manifest;
}

function parseManifest(json: string): BundleManifest {
  try {
    return manifestSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new SerializationError(`Cannot read bundle manifest: ${messageOf(cause)}`, { cause });
  }
}

/** The one way to write a manifest: keys in this order, a line a field. */
function manifestJson(manifest: BundleManifest): string {
  const { format, entry, exports, sdk, runtime, permissions, files, modules } = manifest;
  const { net, read, env } = permissions;
  const ordered = {
    format,
    entry,
    exports,
    sdk,
    runtime,
    permissions: { net, read, env },
    files: files.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    modules: modules.map(({ name, kind, size, sha256 }) => ({ name, kind, size, sha256 })),
  };
  return `${JSON.stringify(ordered, null, 1)}\n`;
}

async function describe({ name, bytes }: TarEntry): Promise<BundleFile> {
  return { name, size: bytes.length, sha256: await sha256Hex(bytes) };
}

function compare(said: BundleFile | undefined, found: BundleFile | undefined): void {
  if (said === undefined) {
    throw lie(`it has a file ${JSON.stringify(found!.name)} that is not listed`);
  }
  if (found === undefined || said.name !== found.name) {
    throw lie(`its file ${JSON.stringify(said.name)} is not in its place`);
  }
  for (const key of ["size", "sha256"] as const) {
    if (said[key] === found[key]) continue;
    throw lie(`the ${key} of ${said.name} is ${found[key]}, not ${said[key]}`);
  }
}

/** Text without byte order mark, which Deno would skip. */
function decode({ bytes }: TarEntry, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SerializationError(`Cannot read bundle as its ${name} is not UTF-8`, { cause });
  }
}

/** A bundle whose manifest does not fit what is in it. */
export function lie(what: string): PackagingError {
  return new PackagingError(
    `Cannot accept bundle as its manifest does not tell the truth: ${what}`,
  );
}

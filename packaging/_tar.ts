import { SerializationError } from "../core/errors.ts";

/** A file in an archive. */
export interface TarEntry {
  /** Its name, as {@linkcode isSafeName} allows. */
  name: string;
  /** Its content. */
  bytes: Uint8Array;
}

const blockSize = 512;
const maxNameBytes = 100;
const maxFileBytes = 0o77777777777;

/**
 * Whether a name can be written and is no danger to whoever unpacks it: relative, without `.`, `..`,
 * empty parts, backslashes, drive letters and control characters, and at most 100 bytes long.
 */
export function isSafeName(name: string): boolean {
  return new TextEncoder().encode(name).length <= maxNameBytes &&
    name.isWellFormed() &&
    // deno-lint-ignore no-control-regex -- control characters are what it is about
    !/[\\:\x00-\x1f\x7f]/.test(name) &&
    name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Writes files as a tar archive (POSIX ustar) that depends on nothing but their names and bytes. */
export function writeTar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  const sizes = entries.map(({ bytes }) => blockSize + padded(bytes.length));
  const archive = new Uint8Array(sizes.reduce((sum, size) => sum + size, 2 * blockSize));
  let at = 0;
  for (const [index, { name, bytes }] of entries.entries()) {
    archive.set(header(name, bytes.length), at);
    archive.set(bytes, at + blockSize);
    at += sizes[index]!;
  }
  return archive;
}

/**
 * Reads what {@linkcode writeTar} wrote, and nothing else: links, devices, extended headers, owners, times,
 * unsafe or repeated names, other padding and trailing bytes are refused, so that there is one archive only
 * for the same files. Nothing is copied, and nothing is ever inflated.
 *
 * @throws {SerializationError} if the bytes are not exactly such an archive
 */
export function readTar(archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at + blockSize <= archive.length && archive[at] !== 0) {
    const { name, size } = readHeader(archive.subarray(at, at + blockSize));
    if (names.has(name)) throw fault(`has two files ${JSON.stringify(name)}`);
    names.add(name);
    at += blockSize;
    const end = at + padded(size);
    if (end > archive.length) throw fault(`ends within ${JSON.stringify(name)}`);
    if (!isZero(archive.subarray(at + size, end))) throw fault("has bytes between its files");
    entries.push({ name, bytes: archive.subarray(at, at + size) });
    at = end;
  }
  if (archive.length !== at + 2 * blockSize || !isZero(archive.subarray(at))) {
    throw fault("is cut off, has bytes behind its end, or is none");
  }
  return entries;
}

/** The header of a regular file of nobody, of the year 1970. */
function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(blockSize);
  const put = (offset: number, text: string) =>
    new TextEncoder().encodeInto(text, block.subarray(offset));
  put(0, name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, size.toString(8).padStart(11, "0"));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\x0000");
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  put(148, `${checksum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Name and size of a header, if it is exactly the one that {@linkcode header} would write. */
function readHeader(block: Uint8Array): { name: string; size: number } {
  const name = text(block.subarray(0, maxNameBytes));
  const size = Number.parseInt(text(block.subarray(124, 136)) ?? "", 8);
  if (name === undefined || !isSafeName(name)) {
    throw fault(`has a file with the unsafe name ${JSON.stringify(name ?? "(not UTF-8)")}`);
  }
  if (!(size >= 0 && size <= maxFileBytes) || !isEqual(block, header(name, size))) {
    throw fault(`has ${JSON.stringify(name)}, which is no plain file`);
  }
  return { name, size };
}

/** Text up to the first zero; `undefined` if it is no UTF-8. */
function text(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    return undefined;
  }
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function fault(what: string): SerializationError {
  return new SerializationError(`Cannot read bundle archive as it ${what}`);
}

import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cannot, MediaError, messageOf } from "../../core/errors.ts";

/** What media is written to: a path, a `file:` URL, `-` for the standard output, or a stream of bytes. */
export type MediaOutput = string | URL | WritableStream<Uint8Array>;

/** An output, told apart. */
export type ResolvedOutput =
  | { kind: "file"; name: string; path: string }
  | { kind: "stream"; name: string; stream: () => WritableStream<Uint8Array>; staysOpen: boolean };

/** @throws {TypeError} if it is nothing that can be written to */
export function resolveOutput(action: string, output: MediaOutput): ResolvedOutput {
  if (output === "-") {
    const stream = () => bytesInto(Deno.stdout);
    return { kind: "stream", name: "the standard output", stream, staysOpen: true };
  }
  if (output instanceof WritableStream) {
    return { kind: "stream", name: "a stream", stream: () => output, staysOpen: false };
  }
  const isUrl = output instanceof URL || typeof output === "string" && output.startsWith("file://");
  if (isUrl && new URL(output).protocol === "file:") {
    const path = fileURLToPath(output);
    return { kind: "file", name: JSON.stringify(path), path };
  }
  if (typeof output !== "string" || output === "" || /^[a-z][a-z0-9+.-]+:\/\//i.test(output)) {
    const rule = "the output must be a path, a file URL or a stream of bytes";
    const value = output instanceof URL ? output.href : output;
    throw new TypeError(cannot(action, { rule, value }));
  }
  return { kind: "file", name: JSON.stringify(output), path: output };
}

/** Where a file is written until it is complete. */
export interface OutputFile {
  /** The name that it shall have. */
  path: string;
  /** The name that it has meanwhile; the same, or one beside it. */
  workPath: string;
}

/** How {@linkcode prepareFile} chooses the work name. */
interface PrepareOptions {
  /** What is done, to follow `Cannot` in messages. */
  action: string;
  /** Whether a file that is cut off is worth having: then it has its own name from the start. */
  isValidIfCutOff: boolean;
}

/**
 * Looks whether a file can be written, and under which name: beside its own name, so that a file of that
 * name stays until the new one is complete.
 *
 * @returns `undefined` for a pipe or device, which is not made but opened
 * @throws {MediaError} if there is a directory in its place, or none to hold it
 */
export async function prepareFile(
  path: string,
  { action, isValidIfCutOff }: PrepareOptions,
): Promise<OutputFile | undefined> {
  const folder = dirname(path);
  const [existing, parent] = await Promise.all([statOf(path, action), statOf(folder, action)]);
  if (existing?.isDirectory) throw new MediaError(`Cannot ${action} as it is a directory`);
  if (!parent?.isDirectory) {
    throw new MediaError(`Cannot ${action} as there is no directory ${JSON.stringify(folder)}`);
  }
  if (existing !== undefined && !existing.isFile) return undefined;
  if (existing === undefined && isValidIfCutOff) return { path, workPath: path };
  const target = existing === undefined ? path : await Deno.realPath(path); // a link stays a link
  const ending = extname(target);
  const mark = crypto.randomUUID().slice(0, 8);
  const workName = `.${basename(target, ending)}.${mark}.part${ending}`;
  return { path: target, workPath: join(dirname(target), workName) };
}

/** Opens a pipe or device for writing. */
export async function openDevice(path: string): Promise<WritableStream<Uint8Array>> {
  const file = await Deno.open(path, { write: true });
  return bytesInto(file, () => file.close());
}

/** Writes to an open file. Deno's own stream of a file does not tell that its last write failed. */
function bytesInto(
  file: { write(bytes: Uint8Array): Promise<number> },
  close: () => void = () => {},
): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    },
    close,
    abort: close,
  });
}

/** Gives a complete file its name. */
export async function keepFile({ path, workPath }: OutputFile): Promise<void> {
  if (path !== workPath) await Deno.rename(workPath, path);
}

/** Removes a file that is not complete. It may not have been made yet. */
export async function dropFile({ workPath }: OutputFile): Promise<void> {
  try {
    await Deno.remove(workPath);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function statOf(path: string, action: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new MediaError(`Cannot ${action} as ${messageOf(cause)}`, { cause });
  }
}

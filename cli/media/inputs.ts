import { parse } from "csv-parse/sync";
import { reasonOf } from "../files.ts";
import { glob, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { ConfigurationError, messageOf } from "../../core/errors.ts";
import type { Manifest } from "../../core/mod.ts";
import { readMedia } from "../../nodes/mod.ts";

/** Node types that take the place of media, not its frames. */
const takesPlaces = ["MediaReader", "DataSource", "WebSocketSource"];

/** The files that paths, folders and patterns name, in order, each once. */
export async function expandInputs(inputs: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const input of inputs) {
    const found = await expand(input);
    if (found.length === 0) throw new ConfigurationError(`Cannot find any file for ${input}`);
    for (const file of found) files.add(file);
  }
  return [...files];
}

async function expand(input: string): Promise<string[]> {
  if (input === "-" || /^[a-z]+:\/\//i.test(input)) return [input];
  const isFolder = await stat(input).then((info) => info.isDirectory(), () => undefined);
  if (isFolder === true) {
    const names = (await readdir(input)).filter((name) => !name.startsWith("."));
    return await filesOf(names.map((name) => join(input, name)));
  }
  if (isFolder === undefined && /[*?[{]/.test(input)) {
    return await filesOf(await Array.fromAsync(glob(input)));
  }
  return [input]; // a file that is not there fails by itself, beside others
}

/** Those of the paths that are no folders, in order. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const folders = await Promise.all(
    paths.map((path) => stat(path).then((info) => info.isDirectory(), () => false)),
  );
  return paths.filter((_, index) => !folders[index]).toSorted();
}

/** The chunks of one input, as its name's ending and the first node of the manifest ask for. */
export function openInput(input: string, { nodes }: Manifest): ReadableStream<unknown> {
  if (nodes.some(({ type }) => takesPlaces.includes(type ?? ""))) {
    return ReadableStream.from([input]);
  }
  if (input === "-") {
    return decode(input, Deno.stdin.readable).pipeThrough(lines(input, jsonOrText));
  }
  switch (extname(input).toLowerCase()) {
    case ".jsonl":
    case ".ndjson":
      return textOf(input).pipeThrough(lines(input, JSON.parse));
    case ".txt":
      return textOf(input).pipeThrough(lines(input, (line) => line));
    case ".json":
    case ".csv":
      return ReadableStream.from(documentOf(input));
    default:
      return readMedia(input);
  }
}

/** Whether an input is read as media. */
export function isMedia(input: string): boolean {
  return input !== "-" && !/\.(jsonl|ndjson|txt|json|csv)$/i.test(input);
}

function textOf(path: string): ReadableStream<string> {
  const open = async function* () {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path);
    } catch (cause) {
      throw new ConfigurationError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
    }
    yield* decode(path, file.readable);
  };
  return ReadableStream.from(open());
}

/** Bytes as text, without a byte order mark. */
function decode(
  name: string,
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const tell = (bytes?: Uint8Array<ArrayBuffer>) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new ConfigurationError(`Cannot read ${name} as it is not in UTF-8`, { cause });
    }
  };
  return bytes.pipeThrough(
    new TransformStream({
      transform: (bytes, controller) => controller.enqueue(tell(bytes)),
      flush: (controller) => controller.enqueue(tell()),
    }),
  );
}

/** A document that must be known as a whole; at most 64 MiB. */
async function* documentOf(path: string): AsyncGenerator<unknown> {
  let text = "";
  for await (const part of textOf(path)) {
    text += part;
    if (text.length > 64 * 2 ** 20) {
      throw new ConfigurationError(`Cannot read ${path} as it is over 64 MiB: make it JSON lines`);
    }
  }
  try {
    const value: unknown = extname(path).toLowerCase() === ".json"
      ? JSON.parse(text)
      : parse(text, { columns: true });
    if (Array.isArray(value)) yield* value;
    else yield value;
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Text to lines to values; a line is at most 16 Mi characters. Empty lines are left out. */
function lines(name: string, read: (line: string) => unknown): TransformStream<string, unknown> {
  let rest = "";
  let number = 0;
  const give = (line: string, controller: TransformStreamDefaultController<unknown>) => {
    number++;
    if (line.trim() === "") return;
    try {
      controller.enqueue(read(line.endsWith("\r") ? line.slice(0, -1) : line));
    } catch (cause) {
      throw new ConfigurationError(`Cannot read line ${number} of ${name}: ${messageOf(cause)}`, {
        cause,
      });
    }
  };
  return new TransformStream({
    transform(text, controller) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      if (rest.length > 2 ** 24) {
        throw new ConfigurationError(`Cannot read ${name} as a line is over 16 Mi characters`);
      }
      for (const line of parts) give(line, controller);
    },
    flush: (controller) => give(rest, controller),
  });
}

function jsonOrText(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line; // lines that are no JSON are text
  }
}

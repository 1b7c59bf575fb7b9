import { fileURLToPath } from "node:url";
import { cannot, MediaError, messageOf } from "../../core/errors.ts";
import { ByteInput } from "./_byte_input.ts";

/**
 * What media is read from: a path, a URL (`file:`, `http:`, `https:`, `rtsp:`, `rtmp:`, `srt:`, `udp:`,
 * `rtp:`), `-` for the standard input, or bytes.
 */
export type MediaInput = string | URL | Uint8Array | ReadableStream<Uint8Array>;

/** An input, told apart. */
export type ResolvedInput =
  | { kind: "file"; name: string; path: string }
  | { kind: "http"; name: string; url: URL }
  | { kind: "live"; name: string; url: URL }
  | { kind: "bytes"; name: string; isLive: boolean; stream: () => ReadableStream<Uint8Array> };

const liveProtocols = ["rtsp:", "rtsps:", "rtmp:", "rtmps:", "srt:", "udp:", "rtp:"];

/** @throws {TypeError} if it is nothing that can be read from */
export function resolveInput(action: string, input: MediaInput): ResolvedInput {
  if (input === "-") {
    const stream = () => Deno.stdin.readable;
    return { kind: "bytes", name: "the standard input", isLive: true, stream };
  }
  if (input instanceof ReadableStream) {
    return { kind: "bytes", name: "a stream", isLive: true, stream: () => input };
  }
  if (input instanceof Uint8Array) {
    const stream = () => ReadableStream.from([input]);
    return { kind: "bytes", name: "bytes", isLive: false, stream };
  }
  if (input instanceof URL) return resolveUrl(action, input);
  if (typeof input !== "string" || input === "") {
    const rule = "the input must be a path, a URL, bytes or a stream of bytes";
    throw new TypeError(cannot(action, { rule, value: input }));
  }
  // one letter before the colon is a drive
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(input) && URL.canParse(input)) {
    return resolveUrl(action, new URL(input));
  }
  return { kind: "file", name: JSON.stringify(input), path: input };
}

function resolveUrl(action: string, url: URL): ResolvedInput {
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    return { kind: "file", name: JSON.stringify(path), path };
  }
  const name = withoutSecrets(url);
  if (url.protocol === "http:" || url.protocol === "https:") return { kind: "http", name, url };
  if (liveProtocols.includes(url.protocol)) return { kind: "live", name, url };
  const rule = `the URL must be file, http, https or ${liveProtocols.join(", ")}`;
  throw new TypeError(cannot(action, { rule: rule.replaceAll(":", ""), value: name }));
}

/** The URL without password and query, which may be secrets and do not belong into messages. */
function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** An input that gives bytes, open. */
export interface OpenInput {
  bytes: ByteInput;
  /** Where a program can open it again by itself, and go to any place in it. */
  path?: string;
  /** Bytes in all, where that is known. */
  size?: number;
  /** Whether the bytes may come as it happens, so that each is wanted at once. */
  isLive: boolean;
}

/**
 * Opens a file, fetches a URL, or takes a stream.
 *
 * @throws {MediaError} if there is nothing to read, in one sentence
 */
export async function openInput(
  input: Exclude<ResolvedInput, { kind: "live" }>,
  { action, signal }: { action: string; signal: AbortSignal },
): Promise<OpenInput> {
  if (input.kind === "bytes") {
    return { bytes: ByteInput.ofStream(input.stream()), isLive: input.isLive };
  }
  if (input.kind === "http") {
    return { bytes: await fetchInput(input.url, { action, signal }), isLive: false };
  }
  return await openFile(input.path, action);
}

async function openFile(path: string, action: string): Promise<OpenInput> {
  try {
    const { isFile, isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw new MediaError(`Cannot ${action} as it is a directory`);
    const file = await Deno.open(path, { read: true });
    // a pipe or a device has no size, and is not there a second time
    if (!isFile) return { bytes: ByteInput.ofFile(file, { action }), isLive: true };
    return { bytes: ByteInput.ofFile(file, { action, size }), path, size, isLive: false };
  } catch (cause) {
    if (cause instanceof MediaError) throw cause;
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Deno.errors.PermissionDenied
      ? "the file may not be read"
      : messageOf(cause);
    throw new MediaError(`Cannot ${action} as ${why}`, { cause });
  }
}

async function fetchInput(
  url: URL,
  { action, signal }: { action: string; signal: AbortSignal },
): Promise<ByteInput> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new MediaError(`Cannot ${action} as it could not be fetched: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (response.ok && response.body !== null) return ByteInput.ofStream(response.body, { action });
  await response.body?.cancel();
  const answer = `${response.status} ${response.statusText}`.trim();
  throw new MediaError(`Cannot ${action} as the server answered ${answer}`);
}

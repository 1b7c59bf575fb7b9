/** What the body of a response becomes. */
export type BodyKind = "auto" | "json" | "text" | "bytes" | "none";

/** All that it can become. */
export const bodyKinds = [
  "auto",
  "json",
  "text",
  "bytes",
  "none",
] as const satisfies readonly BodyKind[];

/** A body to send, and the type that it has. */
export interface SentBody {
  body: string | Uint8Array<ArrayBuffer> | undefined;
  contentType: string | undefined;
}

/** Bytes and text as they are, anything else as JSON. */
export function encodeBody(body: unknown): SentBody {
  if (body === undefined) return { body, contentType: undefined };
  if (typeof body === "string") return { body, contentType: "text/plain;charset=UTF-8" };
  const bytes = bytesIn(body);
  if (bytes !== undefined) return { body: bytes, contentType: "application/octet-stream" };
  return { body: JSON.stringify(body), contentType: "application/json" };
}

/** What bytes are in any form, without a copy; `undefined` for anything else. */
export function bytesIn(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
}

/**
 * Reads a body to its end.
 *
 * @throws {RangeError} if it is longer than `maxBytes`
 * @throws {SyntaxError} if it has to be JSON and is not
 */
export async function readBody(
  response: Response,
  { as, maxBytes }: { as: BodyKind; maxBytes: number },
): Promise<unknown> {
  const [bytes, kind] = await bytesOf(response, { as, maxBytes });
  if (bytes === undefined || kind === "bytes") return bytes;
  const text = new TextDecoder().decode(bytes);
  return kind === "json" ? JSON.parse(text) : text;
}

/**
 * Reads the body of an error: that need not be what a good one is, nor what its type says, so that JSON which
 * is none is a text.
 *
 * @throws {RangeError} if it is longer than `maxBytes`
 */
export async function readErrorBody(
  response: Response,
  { as, maxBytes }: { as: BodyKind; maxBytes: number },
): Promise<unknown> {
  const [bytes, kind] = await bytesOf(response, { as: as === "json" ? "auto" : as, maxBytes });
  if (bytes === undefined || kind === "bytes") return bytes;
  const text = new TextDecoder().decode(bytes);
  try {
    return kind === "json" ? JSON.parse(text) : text;
  } catch {
    return text; // an error page behind a wrong content type
  }
}

async function bytesOf(
  response: Response,
  { as, maxBytes }: { as: BodyKind; maxBytes: number },
): Promise<[Uint8Array<ArrayBuffer> | undefined, "json" | "text" | "bytes"]> {
  if (as === "none" || response.body === null) {
    await response.body?.cancel();
    return [undefined, "bytes"];
  }
  const bytes = await readAll(response.body, maxBytes);
  return [bytes, as === "auto" ? kindOfType(response.headers.get("content-type") ?? "") : as];
}

/** All bytes of a body. @throws {RangeError} if there are more than `maxBytes` */
export async function readAll(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBytes) { // leaving the loop cancels the body
      throw new RangeError(`its body is longer than the ${maxBytes} bytes that it may have`);
    }
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function kindOfType(contentType: string): "json" | "text" | "bytes" {
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  if (type === "application/json" || type.endsWith("+json")) return "json";
  return type.startsWith("text/") || type.endsWith("xml") ? "text" : "bytes";
}

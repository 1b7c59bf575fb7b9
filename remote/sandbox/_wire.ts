import { Marker } from "../../core/frames/marker.ts";
import type { Entry } from "./protocol.ts";

/** Gives messages when there is room for them. */
export interface MessageSource<Message> {
  /** The next message; `undefined` for none. */
  next(): Message | undefined;
  /** The message could not be sent. */
  failed(error: unknown): void;
}

/** One direction of a protocol: over a socket to a sandbox, or over a port to a thread. */
export interface Wire<Message> {
  /**
   * Sends a message behind those sent before.
   *
   * @throws {SerializationError} if it holds what cannot travel
   */
  send(message: Message): void;
  /** Asks `source` for a message when the wire is next free: once, however often it is scheduled. */
  schedule(source: MessageSource<Message>): void;
}

/** About how many bytes of chunks travel in one message. */
const BATCH_BYTES = 1 << 20;

/** Takes entries off the front for one message: all of them, or about a mebibyte. */
export function takeBatch(entries: Entry[]): Entry[] {
  let bytes = 0;
  let count = 0;
  while (count < entries.length && bytes < BATCH_BYTES) bytes += bytesOf(entries[count++]!);
  return entries.splice(0, count);
}

/** About how many bytes a chunk has: those of its samples; for other values, a guess. */
export function bytesOf(entry: Entry): number {
  if (entry.kind === "barrier") return 64;
  const { value } = entry;
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  const { data } = value as { data?: unknown };
  return ArrayBuffer.isView(data) ? data.byteLength : 256;
}

/** Whether an entry outlives an interrupt. */
export function isKept(entry: Entry): boolean {
  return entry.kind === "barrier" || entry.value instanceof Marker;
}

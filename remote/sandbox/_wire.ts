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

/** How deep values are looked into for their size, and at how many members of each. */
const LOOK_DEPTH = 4;
const LOOK_MEMBERS = 8;

/**
 * About how many bytes a chunk has: those of its samples; for other values, a guess from some of what they hold.
 * Found once, as values may change.
 */
export function bytesOf(entry: Entry): number {
  entry.bytes ??= entry.kind === "barrier" ? 64 : guess(entry.value);
  return entry.bytes;
}

function guess(value: unknown): number {
  try {
    return sizeOf(value, LOOK_DEPTH);
  } catch {
    return 256; // a getter throws: who encodes the value tells
  }
}

function sizeOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  const { data } = value as { data?: unknown };
  if (ArrayBuffer.isView(data)) return data.byteLength;
  if (depth === 0) return 256;
  if (Array.isArray(value)) return sizeOfSome(value, { count: value.length, depth });
  if (value instanceof Map) return 2 * sizeOfSome(value.values(), { count: value.size, depth });
  if (value instanceof Set) return sizeOfSome(value, { count: value.size, depth });
  const members = Object.values(value);
  return sizeOfSome(members, { count: members.length, depth });
}

/** The size of a collection by that of its first members. */
function sizeOfSome(
  members: Iterable<unknown>,
  { count, depth }: { count: number; depth: number },
): number {
  let bytes = 0;
  let seen = 0;
  for (const member of members) {
    if (seen === LOOK_MEMBERS) break;
    bytes += 8 + sizeOf(member, depth - 1);
    seen++;
  }
  return 32 + (seen === 0 ? 0 : bytes * count / seen);
}

/** Whether an entry outlives an interrupt. */
export function isKept(entry: Entry): boolean {
  return entry.kind === "barrier" || entry.value instanceof Marker;
}

/**
 * What a host and the guest in a sandbox say to each other over their Unix socket, as two closed unions.
 * On the wire a message is two lengths (32 bits, big-endian), a MessagePack array (the number of its type,
 * then its fields in turn), and the samples of its frames.
 *
 * The host trusts nothing that a guest says: {@linkcode decodeGuestMessage} checks type, count and bounds of
 * every field, and what it refuses ends the sandbox.
 *
 * @module
 */

import { decodeValue, encodeValue } from "../../core/codec/mod.ts";
import type { NodeSpec } from "../../core/executor.ts";
import type { NodeStats } from "../../core/stats.ts";
import { SerializationError } from "../../core/errors.ts";
import { decodeFailure, type Failure } from "./failure.ts";
import { BlobReader, type Packet, packFrame } from "./_blobs.ts";
import { Fields } from "./_fields.ts";

/** Grows with every change that an older peer does not understand. */
export const PROTOCOL_VERSION = 1;

/** A chunk, or a barrier of the engine in its place. */
export type Entry =
  | { kind: "chunk"; value: unknown }
  | { kind: "barrier"; sequence: number; snapshot: boolean; states: Map<string, unknown> };

/** One thing done to a module or object in the guest. */
export type Operation =
  | { kind: "apply"; target: number; path: string[]; args: Uint8Array; callbacks: Callback[] }
  | { kind: "construct"; target: number; path: string[]; args: Uint8Array; callbacks: Callback[] }
  | { kind: "get"; target: number; path: string[] }
  | { kind: "set"; target: number; path: string[]; value: Uint8Array }
  /** Calls `path[1]` of an instance of class `path[0]`, made of its state; `packed` holds state and args. */
  | { kind: "invoke"; target: number; path: string[]; packed: Uint8Array }
  | { kind: "next"; target: number }
  | { kind: "return"; target: number }
  | { kind: "release"; target: number };

/** A function among the arguments: where it stands, and by which number it is called back. */
export interface Callback {
  /** The steps from the list of arguments to the function. */
  path: (string | number)[];
  /** Its number. */
  id: number;
}

/** What an {@linkcode Operation} gave. */
export type Outcome =
  | { kind: "value"; value: Uint8Array }
  | { kind: "object"; target: number; callable: boolean }
  | { kind: "generator"; target: number }
  | { kind: "done"; value: Uint8Array }
  | { kind: "failed"; failure: Failure };

/** What the host says. */
export type HostMessage =
  | { type: "load"; module: string; files: string[] }
  | { type: "open"; segment: number; nodes: NodeSpec[]; states?: Map<string, unknown> }
  | { type: "inputs"; segment: number; entries: Entry[] }
  | { type: "end"; segment: number }
  | { type: "credit"; segment: number; count: number }
  | { type: "interrupt"; segment: number; id: number }
  | { type: "stop"; segment: number; failure: Failure }
  | { type: "ask-stats"; segment: number }
  | { type: "operate"; id: number; operation: Operation }
  | { type: "called-back"; id: number; outcome: Outcome };

/** What the guest says. */
export type GuestMessage =
  | { type: "ready"; version: number }
  | { type: "loaded"; exports: string[] }
  | { type: "not-loaded"; failure: Failure }
  | { type: "opened"; segment: number; capacity: number }
  | { type: "outputs"; segment: number; entries: Entry[] }
  | { type: "credit"; segment: number; count: number }
  | { type: "interrupted"; segment: number; id: number }
  | { type: "ended"; segment: number; stats: NodeStats[] }
  | { type: "failed"; segment: number; failure: Failure; stats: NodeStats[] }
  | { type: "stats"; segment: number; stats: NodeStats[] }
  | { type: "operated"; id: number; outcome: Outcome }
  | { type: "call-back"; id: number; callback: number; args: Uint8Array }
  | { type: "log"; level: LogLevel; text: string; dropped: number };

/** How loud a line of a guest's console is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The most letters of one line of a guest's console. */
export const MAX_LOG_TEXT = 4096;

const MAX_NAME = 1024;
const MAX_NODES = 1024;
const MAX_ENTRIES = 65_536;
const MAX_PATH = 32;

type Codes<M extends { type: string }> = Readonly<Record<M["type"], number>>;

const hostCodes: Codes<HostMessage> = {
  "load": 1,
  "open": 2,
  "inputs": 3,
  "end": 4,
  "credit": 5,
  "interrupt": 6,
  "stop": 7,
  "ask-stats": 8,
  "operate": 9,
  "called-back": 10,
};

const guestCodes: Codes<GuestMessage> = {
  "ready": 1,
  "loaded": 2,
  "not-loaded": 3,
  "opened": 4,
  "outputs": 5,
  "credit": 6,
  "interrupted": 7,
  "ended": 8,
  "failed": 9,
  "stats": 10,
  "operated": 11,
  "call-back": 12,
  "log": 13,
};

const hostTypes = invert(hostCodes);
const guestTypes = invert(guestCodes);

function invert<T extends string>(codes: Readonly<Record<T, number>>): ReadonlyMap<number, T> {
  return new Map(Object.entries(codes).map(([type, code]) => [code as number, type as T]));
}

/** A message of the host as it goes over the wire. */
export function packHostMessage(message: HostMessage): Packet {
  const tail: Uint8Array[] = [];
  return { head: encodeValue([hostCodes[message.type], ...hostFields(message, tail)]), tail };
}

/** A message of the guest as it goes over the wire. */
export function packGuestMessage(message: GuestMessage): Packet {
  const tail: Uint8Array[] = [];
  return { head: encodeValue([guestCodes[message.type], ...guestFields(message, tail)]), tail };
}

/** The bytes of a message of the host that holds no chunks. */
export function encodeHostMessage(message: HostMessage): Uint8Array {
  return packHostMessage(message).head;
}

/** The bytes of a message of the guest that holds no chunks. */
export function encodeGuestMessage(message: GuestMessage): Uint8Array {
  return packGuestMessage(message).head;
}

function hostFields(message: HostMessage, tail: Uint8Array[]): unknown[] {
  switch (message.type) {
    case "load":
      return [message.module, message.files];
    case "open":
      return [message.segment, message.nodes, message.states];
    case "inputs":
      return [message.segment, message.entries.map((entry) => entryFields(entry, tail))];
    case "end":
      return [message.segment];
    case "credit":
      return [message.segment, message.count];
    case "interrupt":
      return [message.segment, message.id];
    case "stop":
      return [message.segment, message.failure];
    case "ask-stats":
      return [message.segment];
    case "operate":
      return [message.id, message.operation];
    case "called-back":
      return [message.id, outcomeFields(message.outcome)];
  }
}

function guestFields(message: GuestMessage, tail: Uint8Array[]): unknown[] {
  switch (message.type) {
    case "ready":
      return [message.version];
    case "loaded":
      return [message.exports];
    case "not-loaded":
      return [message.failure];
    case "opened":
      return [message.segment, message.capacity];
    case "outputs":
      return [message.segment, message.entries.map((entry) => entryFields(entry, tail))];
    case "credit":
      return [message.segment, message.count];
    case "interrupted":
      return [message.segment, message.id];
    case "ended":
      return [message.segment, message.stats.map(statsFields)];
    case "failed":
      return [message.segment, message.failure, message.stats.map(statsFields)];
    case "stats":
      return [message.segment, message.stats.map(statsFields)];
    case "operated":
      return [message.id, outcomeFields(message.outcome)];
    case "call-back":
      return [message.id, message.callback, message.args];
    case "log":
      return [logLevels.indexOf(message.level), message.text, message.dropped];
  }
}

/**
 * A message of the host, as the guest reads it.
 *
 * @throws {SerializationError} if it is none
 */
export function decodeHostMessage(
  bytes: Uint8Array,
  blobs: BlobReader = new BlobReader(empty, false),
): HostMessage {
  const fields = Fields.of(decodeValue(bytes));
  const type = hostTypes.get(fields.count());
  switch (type) {
    case "load":
      return {
        type,
        module: fields.text(MAX_NAME),
        files: fields.list(MAX_ENTRIES, (name) => Fields.text(name, MAX_NAME)),
      };
    case "open":
      return {
        type,
        segment: fields.count(),
        nodes: fields.next() as NodeSpec[],
        states: fields.next() as Map<string, unknown> | undefined,
      };
    case "inputs":
      return {
        type,
        segment: fields.count(),
        entries: fields.list(MAX_ENTRIES, (entry) => entryOf(entry, blobs)),
      };
    case "end":
      return { type, segment: fields.count() };
    case "credit":
      return { type, segment: fields.count(), count: fields.count() };
    case "interrupt":
      return { type, segment: fields.count(), id: fields.count() };
    case "stop":
      return { type, segment: fields.count(), failure: decodeFailure(fields.next()) };
    case "ask-stats":
      return { type, segment: fields.count() };
    case "operate":
      return { type, id: fields.count(), operation: fields.next() as Operation };
    case "called-back":
      return { type, id: fields.count(), outcome: outcomeOf(fields.next()) };
    case undefined:
      throw new SerializationError("Cannot decode message as its type is not known");
  }
}

/**
 * A message of the guest, as the host reads it: whatever is not exactly a message is refused.
 *
 * @throws {SerializationError} naming what is wrong with it
 */
export function decodeGuestMessage(
  bytes: Uint8Array,
  blobs: BlobReader = new BlobReader(empty, false),
): GuestMessage {
  const fields = Fields.of(decodeValue(bytes));
  const message = guestMessageOf(fields, blobs);
  fields.end();
  blobs.end();
  return message;
}

const empty = new Uint8Array(0);

function guestMessageOf(fields: Fields, blobs: BlobReader): GuestMessage {
  const type = guestTypes.get(fields.count());
  switch (type) {
    case "ready":
      return { type, version: fields.count() };
    case "loaded":
      return { type, exports: fields.list(MAX_ENTRIES, (name) => Fields.text(name, MAX_NAME)) };
    case "not-loaded":
      return { type, failure: decodeFailure(fields.next()) };
    case "opened":
      return { type, segment: fields.count(), capacity: fields.count() };
    case "outputs":
      return {
        type,
        segment: fields.count(),
        entries: fields.list(MAX_ENTRIES, (entry) => entryOf(entry, blobs)),
      };
    case "credit":
      return { type, segment: fields.count(), count: fields.count() };
    case "interrupted":
      return { type, segment: fields.count(), id: fields.count() };
    case "ended":
      return { type, segment: fields.count(), stats: fields.list(MAX_NODES, statsOf) };
    case "failed":
      return {
        type,
        segment: fields.count(),
        failure: decodeFailure(fields.next()),
        stats: fields.list(MAX_NODES, statsOf),
      };
    case "stats":
      return { type, segment: fields.count(), stats: fields.list(MAX_NODES, statsOf) };
    case "operated":
      return { type, id: fields.count(), outcome: outcomeOf(fields.next()) };
    case "call-back":
      return { type, id: fields.count(), callback: fields.count(), args: fields.bytes() };
    case "log":
      return {
        type,
        level: logLevels[fields.count(logLevels.length - 1)]!,
        text: fields.text(MAX_LOG_TEXT),
        dropped: fields.count(),
      };
    case undefined:
      throw new SerializationError("Cannot decode message as its type is not known");
  }
}

function entryFields(entry: Entry, tail: Uint8Array[]): unknown[] {
  switch (entry.kind) {
    case "chunk": {
      const frame = packFrame(entry.value, tail);
      return frame === undefined ? [0, entry.value] : [2, ...frame];
    }
    case "barrier":
      return [1, entry.sequence, entry.snapshot, entry.states];
  }
}

function entryOf(value: unknown, blobs: BlobReader): Entry {
  const fields = Fields.of(value);
  const kind = fields.count(2);
  if (kind !== 1) {
    const chunk = kind === 0 ? fields.next() : blobs.frame(fields);
    fields.end();
    return { kind: "chunk", value: chunk };
  }
  const entry: Entry = {
    kind: "barrier",
    sequence: fields.count(),
    snapshot: fields.flag(),
    states: fields.map(MAX_NODES, MAX_NAME),
  };
  fields.end();
  return entry;
}

const outcomeKinds = ["value", "object", "generator", "done", "failed"] as const;

function outcomeFields(outcome: Outcome): unknown[] {
  const code = outcomeKinds.indexOf(outcome.kind);
  switch (outcome.kind) {
    case "value":
    case "done":
      return [code, outcome.value];
    case "object":
      return [code, outcome.target, outcome.callable];
    case "generator":
      return [code, outcome.target];
    case "failed":
      return [code, outcome.failure];
  }
}

/** An {@linkcode Outcome} from what it was on the wire. */
function outcomeOf(value: unknown): Outcome {
  const fields = Fields.of(value);
  const kind = outcomeKinds[fields.count(outcomeKinds.length - 1)]!;
  const outcome = ((): Outcome => {
    switch (kind) {
      case "value":
      case "done":
        return { kind, value: fields.bytes() };
      case "object":
        return { kind, target: fields.count(), callable: fields.flag() };
      case "generator":
        return { kind, target: fields.count() };
      case "failed":
        return { kind, failure: decodeFailure(fields.next()) };
    }
  })();
  fields.end();
  return outcome;
}

function statsFields(stats: NodeStats): unknown[] {
  const { name, type, dropped, errors, busyMs, latency, queueDepth } = stats;
  const { p50, p95, p99 } = latency;
  return [name, type, stats.in, stats.out, dropped, errors, busyMs, p50, p95, p99, queueDepth];
}

function statsOf(value: unknown): NodeStats {
  const fields = Fields.of(value);
  const stats: NodeStats = {
    name: fields.text(MAX_NAME),
    type: fields.text(MAX_NAME),
    in: fields.count(),
    out: fields.count(),
    dropped: fields.count(),
    errors: fields.count(),
    busyMs: fields.number(),
    latency: { p50: fields.number(), p95: fields.number(), p99: fields.number() },
    queueDepth: fields.count(),
  };
  fields.end();
  return stats;
}

/** How many steps a path into a module or object may have. */
export const maxPath: number = MAX_PATH;

import { encodeValue } from "../../core/codec/mod.ts";
import type { NodeCounts, NodeStats } from "../../core/stats.ts";
import { type BlobReader, packFrame } from "./_blobs.ts";
import { Fields } from "./_fields.ts";
import { decodeFailure } from "./failure.ts";
import type { Entry, GuestMessage, HostMessage, Outcome } from "./protocol.ts";

/** The most letters of a name, nodes of a segment, and items of a list. */
export const MAX_NAME = 1024;
export const MAX_NODES = 1024;
export const MAX_ENTRIES = 65_536;

/** The number of each type of message on the wire. */
export type Codes<M extends { type: string }> = Readonly<Record<M["type"], number>>;

/** Which type a number stands for. */
export function invert<T extends string>(
  codes: Readonly<Record<T, number>>,
): ReadonlyMap<number, T> {
  return new Map(Object.entries(codes).map(([type, code]) => [code as number, type as T]));
}

/** An {@linkcode Entry} as it is on the wire; the samples of a frame go into the tail. */
export function entryFields(entry: Entry, tail: Uint8Array[]): unknown[] {
  switch (entry.kind) {
    case "chunk": {
      const frame = packFrame(entry.value, tail);
      return frame === undefined ? [0, entry.value] : [2, ...frame];
    }
    case "barrier":
      return [1, entry.sequence, entry.snapshot, entry.states, [...entry.counts].map(countsFields)];
  }
}

/** An {@linkcode Entry} from what it was on the wire. */
export function entryOf(value: unknown, blobs: BlobReader): Entry {
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
    counts: new Map(fields.list(MAX_NODES, countsOf)),
  };
  fields.end();
  return entry;
}

/** The fields of a message as MessagePack. @throws {SerializationError} naming what in a chunk cannot travel */
export function encodeFields(
  fields: readonly unknown[],
  message: HostMessage | GuestMessage,
): Uint8Array {
  try {
    return encodeValue(fields);
  } catch (error) {
    // the path in its message should start at the chunk
    const entries = "entries" in message ? message.entries : [];
    for (const entry of entries) if (entry.kind === "chunk") encodeValue(entry.value);
    throw error;
  }
}

/** A message with chunks as two, each with half of them; `undefined` if it cannot be divided. */
export function splitMessage<M extends HostMessage | GuestMessage>(
  message: M,
): [M, M] | undefined {
  if (!("entries" in message) || message.entries.length < 2) return undefined;
  const half = message.entries.length >> 1;
  return [
    { ...message, entries: message.entries.slice(0, half) },
    { ...message, entries: message.entries.slice(half) },
  ];
}

const outcomeKinds = ["value", "object", "generator", "done", "failed"] as const;

/** An {@linkcode Outcome} as it is on the wire. */
export function outcomeFields(outcome: Outcome): unknown[] {
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
export function outcomeOf(value: unknown): Outcome {
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

function countsFields([name, counts]: [string, NodeCounts]): unknown[] {
  const { in: taken, out, dropped, errors, busyMs } = counts;
  return [name, taken, out, dropped, errors, busyMs];
}

function countsOf(value: unknown): [string, NodeCounts] {
  const fields = Fields.of(value);
  const name = fields.text(MAX_NAME);
  const counts = {
    in: fields.count(),
    out: fields.count(),
    dropped: fields.count(),
    errors: fields.count(),
    busyMs: fields.number(),
  };
  fields.end();
  return [name, counts];
}

/** What a node did, as it is on the wire. */
export function statsFields(stats: NodeStats): unknown[] {
  const { name, type, dropped, errors, busyMs, latency, queueDepth } = stats;
  const { p50, p95, p99 } = latency;
  return [name, type, stats.in, stats.out, dropped, errors, busyMs, p50, p95, p99, queueDepth];
}

/** What a node did, from what it was on the wire. */
export function statsOf(value: unknown): NodeStats {
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

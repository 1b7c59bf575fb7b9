import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { decodeValue, encodeValue } from "../../core/codec/mod.ts";
import { messageOf } from "../../core/errors.ts";
import type { NodeSpec, Overflow } from "../../core/executor.ts";
import type { NodeCounts, NodeStats } from "../../core/stats.ts";
import {
  type StreamRequest,
  StreamRequestSchema,
  type StreamResponse,
  StreamResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import * as pb from "../../proto/gen/remotemedia/v1/node_pb.ts";
import { malformed, ProtoReader } from "./proto_reader.ts";

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** Fields that nobody knows are passed over: kept, a message of nothing else takes many times its size. */
export const known = { readUnknownFields: false } as const;

/** How many fields a message may have, where it says something else than chunks. */
export const MAX_FIELDS = 10_000;

/**
 * Counts the fields of a message, and of those messages in it that are on the path given: a repeated field
 * of two bytes each would become an object each.
 *
 * @throws {SerializationError} if there are too many, or the bytes are no message
 */
function checkCounts(bytes: Uint8Array, path: readonly number[]): void {
  if (bytes.length <= MAX_FIELDS) return;
  countFields(new ProtoReader(bytes), path, 0);
}

function countFields(reader: ProtoReader, path: readonly number[], before: number): number {
  let count = before;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (++count > MAX_FIELDS) throw malformed(`it has more than ${MAX_FIELDS} fields`);
    if (field === path[0]) count = countFields(reader.message(), path.slice(1), count);
    else reader.skip();
  }
  return count;
}

type Of<M extends { case?: string | undefined }> = Exclude<M, { case?: undefined }>;

/** What a client sends in a `Stream`, as the generated code has it. */
export type RequestMessage = Of<StreamRequest["message"]>;

/** What a server sends in a `Stream`, as the generated code has it. */
export type ResponseMessage = Of<StreamResponse["message"]>;

/** A message of a client, as bytes. */
export function writeRequest(
  message: MessageInitShape<typeof StreamRequestSchema>["message"],
): Uint8Array {
  return toBinary(StreamRequestSchema, create(StreamRequestSchema, { message }));
}

/** A message of a server, as bytes. */
export function writeResponse(
  message: MessageInitShape<typeof StreamResponseSchema>["message"],
): Uint8Array {
  return toBinary(StreamResponseSchema, create(StreamResponseSchema, { message }));
}

/** A message of a client that holds no chunks. @throws {SerializationError} if it is none */
export function readRequest(bytes: Uint8Array): RequestMessage {
  checkCounts(bytes, [1, 5]); // Open.segment, Open.resume.states
  return read(() => fromBinary(StreamRequestSchema, bytes, known).message);
}

/** A message of a server that holds no chunks. @throws {SerializationError} if it is none */
export function readResponse(bytes: Uint8Array): ResponseMessage {
  return read(() => fromBinary(StreamResponseSchema, bytes, known).message);
}

function read<M extends { case?: string | undefined }>(parse: () => M): Of<M> {
  let message: M;
  try {
    message = parse();
  } catch (error) {
    throw malformed(messageOf(error), error);
  }
  if (message.case === undefined) throw malformed("it holds nothing that is known");
  return message as Of<M>;
}

const overflows: readonly (readonly [Overflow, pb.Overflow])[] = [
  ["block", pb.Overflow.BLOCK],
  ["drop-oldest", pb.Overflow.DROP_OLDEST],
  ["drop-newest", pb.Overflow.DROP_NEWEST],
];

/** What the module of a node is called whose code was uploaded: this and the bundle's digest. */
export const BUNDLE = "bundle:";

/** A node as a message. @throws {SerializationError} if an option cannot travel */
export function writeSpec(spec: NodeSpec): MessageInitShape<typeof pb.NodeSpecSchema> {
  const { name, type, options, concurrency, queue, module, resume } = spec;
  return {
    name,
    type,
    options: encodeValue(options),
    concurrency: concurrency ?? 0,
    ...(module?.startsWith(BUNDLE)
      ? { bundle: module.slice(BUNDLE.length) }
      : { module: module ?? "" }),
    stateless: resume === "replay",
    restorable: resume === "snapshot",
    ...(queue !== undefined && {
      queue: {
        size: queue.size,
        overflow: overflows.find(([word]) => word === queue.overflow)?.[1] ??
          pb.Overflow.UNSPECIFIED,
      },
    }),
  };
}

/** A node from its message. @throws {SerializationError} if its options are no map */
export function readSpec(message: pb.NodeSpec): NodeSpec {
  const { name, type, concurrency, queue, stateless, restorable } = message;
  const module = message.bundle === "" ? message.module : BUNDLE + message.bundle;
  const options = message.options.length === 0 ? {} : decodeValue(message.options);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw malformed(`the options of node "${name}" are no map`);
  }
  return {
    name: name === "" ? type : name,
    type,
    options: options as Record<string, unknown>,
    ...(concurrency > 0 && { concurrency }),
    ...(module !== "" && { module }),
    ...(restorable ? { resume: "snapshot" } : stateless && { resume: "replay" }),
    ...(queue !== undefined && {
      queue: {
        size: queue.size,
        overflow: overflows.find(([, value]) => value === queue.overflow)?.[0] ?? "block",
      },
    }),
  };
}

/** Stats of a node as a message. */
export function writeStats(stats: NodeStats): MessageInitShape<typeof pb.NodeStatsSchema> {
  const { p50, p95, p99 } = stats.latency;
  return {
    name: stats.name,
    type: stats.type,
    in: BigInt(stats.in),
    out: BigInt(stats.out),
    dropped: BigInt(stats.dropped),
    errors: BigInt(stats.errors),
    busyMs: stats.busyMs,
    p50Ms: p50,
    p95Ms: p95,
    p99Ms: p99,
    queueDepth: BigInt(stats.queueDepth),
  };
}

/** Stats of a node from their message. */
export function readStats(message: pb.NodeStats): NodeStats {
  return {
    name: message.name,
    type: message.type,
    in: Number(message.in),
    out: Number(message.out),
    dropped: Number(message.dropped),
    errors: Number(message.errors),
    busyMs: message.busyMs,
    latency: { p50: message.p50Ms, p95: message.p95Ms, p99: message.p99Ms },
    queueDepth: Number(message.queueDepth),
  };
}

/** Counts of nodes as messages. */
export function writeCounts(
  counts: ReadonlyMap<string, NodeCounts>,
): MessageInitShape<typeof pb.NodeStatsSchema>[] {
  return [...counts].map(([name, { in: taken, out, dropped, errors, busyMs }]) => ({
    name,
    in: BigInt(taken),
    out: BigInt(out),
    dropped: BigInt(dropped),
    errors: BigInt(errors),
    busyMs,
  }));
}

/** States of nodes as messages. @throws {SerializationError} if one cannot travel */
export function writeStates(
  states: ReadonlyMap<string, unknown>,
): { node: string; state: Uint8Array }[] {
  return [...states].map(([node, state]) => ({ node, state: encodeValue(state) }));
}

/** States of nodes from their messages. */
export function readStates(
  states: readonly { node: string; state: Uint8Array }[],
): Map<string, unknown> {
  return new Map(states.map(({ node, state }) => [node, decodeValue(state)]));
}

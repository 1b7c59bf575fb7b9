import { SerializationError } from "../../core/errors.ts";
import {
  type DecodeOptions,
  type ItemBudget,
  MAX_ITEMS,
  ValueReader,
} from "../../core/codec/value_reader.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import { readFrame } from "./frame_reader.ts";
import { malformed, ProtoReader } from "./proto_reader.ts";

/** A `ChunkBatch` as it was read. */
export interface ReadBatch {
  /** The sequence number of the first chunk. */
  firstSeq: number;
  /** What is to be told once the last of them is worked on. */
  ackRequest: AckRequest;
  /** The chunks. */
  chunks: unknown[];
  /** How many values are in them, those inside of others included. */
  items: number;
}

/** What bounds the reading of a batch. */
export interface ReadOptions extends DecodeOptions {
  /** The most chunks in one batch. @default 65536 */
  maxChunks?: number;
}

/**
 * How many values a batch may hold beside one chunk of the most that one may have: a batch that is 256 KiB
 * long, which is the longest to which a chunk is added, holds no more.
 */
const MORE_ITEMS = 262_144;

/** Whether a `StreamRequest` or `StreamResponse` holds chunks; both have them in field 2. */
export function holdsChunks(message: Uint8Array): boolean {
  return message[0] === 0x12;
}

/**
 * Reads the chunks of a `StreamRequest` or `StreamResponse`.
 *
 * @throws {SerializationError} if the bytes are no such message, or one past the bounds
 */
export function readBatch(message: Uint8Array, options: ReadOptions = {}): ReadBatch {
  const outer = new ProtoReader(message);
  const batch: ReadBatch = {
    firstSeq: 0,
    ackRequest: AckRequest.UNSPECIFIED,
    chunks: [],
    items: 0,
  };
  const bounds = sharing(options);
  const { items } = bounds.budget;
  for (let field = outer.field(); field !== 0; field = outer.field()) {
    if (field !== 2) throw malformed("more than one kind of message is in it");
    readInto(batch, outer.message(), bounds);
  }
  batch.items = items - bounds.budget.items;
  return batch;
}

/** Bounds for chunks that come in one message: what all of them may hold together, beside each. */
export function sharing(options: ReadOptions): ReadOptions & { budget: ItemBudget } {
  return { ...options, budget: { items: (options.maxItems ?? MAX_ITEMS) + MORE_ITEMS } };
}

function readInto(batch: ReadBatch, reader: ProtoReader, options: ReadOptions): void {
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) batch.firstSeq = reader.number();
    else if (field === 2) batch.ackRequest = ackRequestOf(reader.number());
    else if (field === 3) readChunk(batch.chunks, reader.message(), options);
    else reader.skip();
  }
}

/** Reads a `Chunk`, which holds one chunk or a run of values, to the end of a list. */
export function readChunk(
  chunks: unknown[],
  reader: ProtoReader,
  { maxChunks = 65_536, ...bounds }: ReadOptions,
): void {
  const field = reader.field();
  if (field === 1) readValues(chunks, reader.message(), { maxChunks, ...bounds });
  else if (field >= 2 && field <= 6) chunks.push(readFrame(field, reader.message(), bounds));
  else throw malformed("a chunk is of no known kind");
  if (reader.field() !== 0) throw malformed("a chunk holds more than one");
  if (chunks.length > maxChunks) throw malformed(`it holds more than ${maxChunks} chunks`);
}

function readValues(chunks: unknown[], reader: ProtoReader, options: ReadOptions): void {
  let count = 0;
  let packed: Uint8Array | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) count = reader.number();
    else if (field === 2) packed = reader.bytes();
    else reader.skip();
  }
  if (count > (packed?.length ?? 0)) throw malformed("a run has fewer values than it says");
  if (chunks.length + count > options.maxChunks!) {
    throw malformed(`it holds more than ${options.maxChunks} chunks`);
  }
  if (packed === undefined) return;
  const values = new ValueReader(packed, options);
  for (let index = 0; index < count; index++) chunks.push(values.read());
  if (!values.done) throw new SerializationError("Cannot decode value as bytes are left over");
}

function ackRequestOf(value: number): AckRequest {
  if (value === AckRequest.ACK || value === AckRequest.SNAPSHOT) return value;
  return AckRequest.UNSPECIFIED;
}

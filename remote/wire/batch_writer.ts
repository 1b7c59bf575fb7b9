import { Buffer } from "node:buffer";
import { ByteWriter } from "../../core/codec/byte_writer.ts";
import { writeValue } from "../../core/codec/value_writer.ts";
import type { Frame } from "../../core/frames/mod.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import { BatchMemory } from "./batch_memory.ts";
import { isFrame, varintSize, writeFrame } from "./frame_writer.ts";

/** Room that a batch has at first, at the most. */
const MAX_HINT = 256 * 1024;

/** Room for the headers of the message and the batch. */
const MESSAGE_GAP = 32;

/** Room for the header of a run of values: three tags and lengths, and a count. */
const RUN_GAP = 24;

/**
 * Data from here on is a view of the message where it is read, and so has to be aligned there; so is data that
 * fills a message alone.
 */
const ALIGN_FROM = 32 * 1024;

/** The bytes that gRPC puts in front of a message, in the buffer that it comes out of. */
const GRPC_HEADER = 5;

/** Headers that are made now: their length is needed before they are put in place. */
const head = new ByteWriter(64);
const front = new ByteWriter(64);

/** Chunks as they travel: one finished message of a `Stream`. */
export interface Batch {
  /** A `StreamRequest` or `StreamResponse` with `chunks`; both have the same bytes. */
  readonly message: Buffer<ArrayBuffer>;
  /** The sequence number of the first chunk. */
  readonly firstSeq: number;
  /** How many chunks there are. */
  readonly count: number;
}

/**
 * Writes chunks as they come into the one buffer that is sent, byte for byte as the generated code does.
 * A length stands in front of what it measures, so gaps are left and filled at the end.
 */
export class BatchWriter {
  readonly #memory = new BatchMemory();
  #to: ByteWriter | undefined;
  #sizeHint = 1024;
  #count = 0;
  #hasMarkers = false;
  #bodyStart = 0;
  /** Where the data of the first chunk starts, and the first large data; 0 if there is none. */
  #first = 0;
  #large = 0;
  /** Where the values of the run that is open start, and how many they are. */
  #runStart = 0;
  #runCount = 0;

  /** Chunks in the batch. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch, its headers not counted. */
  get size(): number {
    return this.#to === undefined ? 0 : this.#to.length - this.#bodyStart;
  }

  /** Whether some chunk is a marker. */
  get hasMarkers(): boolean {
    return this.#hasMarkers;
  }

  /** Appends a chunk. @throws {SerializationError} if it cannot travel; the batch stays as it was */
  add(chunk: unknown): void {
    if (isFrame(chunk)) {
      const bytes = sizeOf(chunk);
      const to = this.#to ??= this.#begin(bytes);
      this.#endRun(to);
      const start = to.length;
      try {
        writeFrame(to, chunk);
      } catch (error) {
        to.truncate(start);
        throw error;
      }
      if (this.#count === 0 && bytes > 0) this.#first = to.length - bytes;
      if (bytes >= ALIGN_FROM && this.#large === 0) this.#large = to.length - bytes;
      if (chunk.kind === "marker") this.#hasMarkers = true;
    } else {
      const to = this.#to ??= this.#begin();
      if (this.#runCount === 0) {
        to.skip(RUN_GAP);
        this.#runStart = to.length;
      }
      try {
        writeValue(to, chunk);
      } catch (error) {
        if (this.#runCount === 0) to.truncate(to.length - RUN_GAP);
        throw error;
      }
      this.#runCount++;
    }
    this.#count++;
  }

  /** Ends the batch and starts another. */
  finish(firstSeq: number, ackRequest: AckRequest = AckRequest.UNSPECIFIED): Batch {
    const to = this.#to ?? this.#begin();
    const count = this.#count;
    this.#endRun(to);
    head.truncate(0);
    if (firstSeq !== 0) {
      head.u8(0x08);
      head.varint(firstSeq);
    }
    if (ackRequest !== AckRequest.UNSPECIFIED) {
      head.u8(0x10);
      head.u8(ackRequest);
    }
    const body = to.length - this.#bodyStart;
    const aligned = count === 1 ? this.#first : this.#large;
    if (aligned > 0) writePadding(aligned - this.#bodyStart, body);
    const size = head.length + body;
    const start = this.#bodyStart - head.length - varintSize(size) - 1;
    front.truncate(0);
    front.u8(0x12);
    front.varint(size);
    front.from(head);
    to.setFrom(start, front);
    const { buffer, byteOffset } = to.bytes;
    const message = Buffer.from(buffer, byteOffset + start, to.length - start);
    this.#sizeHint = Math.min(to.length + 256, MAX_HINT);
    this.clear();
    return { message, firstSeq, count };
  }

  /** Takes the memory of a message that was sent, and that nobody keeps, for batches to come. */
  reuse(message: Buffer<ArrayBuffer>): void {
    this.#memory.give(message);
  }

  /** Forgets the batch. */
  clear(): void {
    this.#to = undefined;
    this.#count = 0;
    this.#runCount = 0;
    this.#first = 0;
    this.#large = 0;
    this.#hasMarkers = false;
  }

  #begin(bytes = 0): ByteWriter {
    this.#bodyStart = MESSAGE_GAP + RUN_GAP;
    // a large frame fills its batch alone: room for that frame and no more, as zeroing memory takes time
    const size = bytes >= ALIGN_FROM ? bytes + 1024 : this.#sizeHint;
    return this.#to = new ByteWriter(this.#memory.take(size), MESSAGE_GAP + RUN_GAP);
  }

  #endRun(to: ByteWriter): void {
    if (this.#runCount === 0) return;
    const bytes = to.length - this.#runStart;
    const counted = 1 + varintSize(this.#runCount);
    const values = counted + (bytes === 0 ? 0 : 1 + varintSize(bytes) + bytes);
    head.truncate(0);
    head.u8(0x1a);
    head.varint(1 + varintSize(values) + values);
    head.u8(0x0a);
    head.varint(values);
    head.u8(0x08);
    head.varint(this.#runCount);
    head.u8(0x12);
    head.varint(bytes);
    const gapStart = this.#runStart - RUN_GAP;
    if (gapStart === this.#bodyStart) { // nothing is in front: the front moves instead of the values
      this.#bodyStart = this.#runStart - head.length;
      to.setFrom(this.#bodyStart, head);
    } else {
      to.setFrom(gapStart, head);
      to.move(this.#runStart, gapStart + head.length);
    }
    this.#runCount = 0;
  }
}

/** Appends the padding to the batch's header after which data at `offset` of its body is aligned to 8 bytes. */
function writePadding(offset: number, body: number): void {
  const isAligned = (padding: number) => {
    const header = head.length + padding;
    return (GRPC_HEADER + 1 + varintSize(header + body) + header + offset) % 8 === 0;
  };
  if (isAligned(0)) return;
  let padding = 2; // the tag and the length
  while (!isAligned(padding)) padding++;
  head.u8(0x22);
  head.u8(padding - 2);
  for (let count = 2; count < padding; count++) head.u8(0);
}

/** The bytes of a frame's data, where that may be large. */
function sizeOf(frame: Frame): number {
  return frame.kind === "marker" ? 0 : frame.data.byteLength;
}

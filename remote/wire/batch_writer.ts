import { ByteWriter } from "../../core/codec/byte_writer.ts";
import { writeValue } from "../../core/codec/value_writer.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import { isFrame, varintSize, writeFrame } from "./frame_writer.ts";

/** Room for the headers of the message and the batch. */
const MESSAGE_GAP = 32;

/** Room for the header of a run of values: three tags and lengths, and a count. */
const RUN_GAP = 24;

/** Headers that are made now: their length is needed before they are put in place. */
const head = new ByteWriter(64);
const front = new ByteWriter(64);

/** Chunks as they travel: one finished message of a `Stream`. */
export interface Batch {
  /** A `StreamRequest` or `StreamResponse` with `chunks`; both have the same bytes. */
  readonly message: Uint8Array;
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
  #to: ByteWriter | undefined;
  #sizeHint = 1024;
  #count = 0;
  #hasMarkers = false;
  #bodyStart = 0;
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
    const to = this.#to ??= this.#begin();
    if (isFrame(chunk)) {
      this.#endRun(to);
      const start = to.length;
      try {
        writeFrame(to, chunk);
      } catch (error) {
        to.truncate(start);
        throw error;
      }
      if (chunk.kind === "marker") this.#hasMarkers = true;
    } else {
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
    const size = head.length + to.length - this.#bodyStart;
    const start = this.#bodyStart - head.length - varintSize(size) - 1;
    front.truncate(0);
    front.u8(0x12);
    front.varint(size);
    front.raw(head.subarray(0));
    to.setRaw(start, front.subarray(0));
    const message = to.subarray(start);
    this.#sizeHint = Math.min(to.length + 256, 1 << 20);
    this.clear();
    return { message, firstSeq, count };
  }

  /** Forgets the batch. */
  clear(): void {
    this.#to = undefined;
    this.#count = 0;
    this.#runCount = 0;
    this.#hasMarkers = false;
  }

  #begin(): ByteWriter {
    this.#bodyStart = MESSAGE_GAP + RUN_GAP;
    return this.#to = new ByteWriter(this.#sizeHint, MESSAGE_GAP + RUN_GAP);
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
      to.setRaw(this.#bodyStart, head.subarray(0));
    } else {
      to.setRaw(gapStart, head.subarray(0));
      to.move(this.#runStart, gapStart + head.length);
    }
    this.#runCount = 0;
  }
}

import type { Batch } from "../wire/batch_writer.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";

/** What bounds an {@linkcode InputWindow}. */
export interface WindowLimits {
  /** Chunks that may be on their way. */
  chunks: number;
  /** Bytes that may be on their way. */
  bytes: number;
  /** How long inputs may go without an Ack being asked for, in ms. */
  ackIntervalMs: number;
}

/** An interrupt, in its place between inputs. */
export interface SentInterrupt {
  readonly interrupt: bigint;
  /** How many outputs, markers not counted, came before it took effect; once it has. */
  outputsBefore?: number;
}

/** Something that was sent and may have to be sent again. */
export type SentItem = Batch | SentInterrupt;

/**
 * What was sent and is not acknowledged: it bounds how much is on its way, and is sent again where a
 * session goes on. Holds at most `chunks` chunks, and `bytes` bytes beyond which no batch is begun.
 */
export class InputWindow {
  readonly #limits: WindowLimits;
  readonly #items: SentItem[] = [];
  #chunks = 0;
  #bytes = 0;
  /** Chunks and bytes sent since an Ack was asked for, and when that was. */
  #chunksSinceRequest = 0;
  #bytesSinceRequest = 0;
  #requestedAt = performance.now();
  #nextSeq = 1;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** The sequence number of the next input. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** What is not acknowledged, in its order. */
  get items(): readonly SentItem[] {
    return this.#items;
  }

  /** How many more chunks may go into a batch that holds `count` chunks of `bytes` bytes. */
  hasRoom(count: number, bytes: number): boolean {
    return this.#chunks + count < this.#limits.chunks &&
      (this.#bytes + bytes < this.#limits.bytes || this.#bytes + bytes === 0);
  }

  /** Whether the next batch, which holds `count` chunks of `bytes` bytes, should ask for an Ack. */
  wantsAck(count: number, bytes: number): boolean {
    const { chunks, bytes: maxBytes, ackIntervalMs } = this.#limits;
    return 4 * (this.#chunksSinceRequest + count) >= chunks ||
      4 * (this.#bytesSinceRequest + bytes) >= maxBytes ||
      performance.now() - this.#requestedAt >= ackIntervalMs;
  }

  /** A batch is sent. */
  add(batch: Batch, ackRequest: AckRequest): void {
    const { count, message: { length } } = batch;
    this.#items.push(batch);
    this.#nextSeq += count;
    this.#chunks += count;
    this.#bytes += length;
    if (ackRequest === AckRequest.UNSPECIFIED) {
      this.#chunksSinceRequest += count;
      this.#bytesSinceRequest += length;
    } else {
      this.#chunksSinceRequest = 0;
      this.#bytesSinceRequest = 0;
      this.#requestedAt = performance.now();
    }
  }

  /** An interrupt is sent. */
  addInterrupt(interrupt: SentInterrupt): void {
    this.#items.push(interrupt);
  }

  /** Inputs up to one are acknowledged: forgets them, and tells each batch of them. */
  trim(inputSeq: number, forgotten: (batch: Batch) => void): void {
    let acknowledged = 0;
    for (const [index, item] of this.#items.entries()) {
      if ("interrupt" in item) continue;
      if (item.firstSeq + item.count - 1 > inputSeq) break;
      this.#chunks -= item.count;
      this.#bytes -= item.message.length;
      forgotten(item);
      acknowledged = index + 1;
    }
    this.#items.splice(0, acknowledged);
  }
}

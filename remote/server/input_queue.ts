import { Marker } from "../../core/frames/mod.ts";
import { Barrier } from "../../core/stage/barrier.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import type { ReadBatch } from "../wire/batch_reader.ts";

/** About how many bytes a value takes in memory, beside those that it had in its message. */
const ITEM_COST = 64;

/**
 * Inputs that a session has received and its nodes have not taken. Bounded by its owner, who stops
 * reading from the connection while {@linkcode InputQueue.cost} is above the limit.
 */
export class InputQueue {
  readonly #batches: { items: unknown[]; next: number; bytes: number; cost: number }[] = [];
  #bytes = 0;
  #cost = 0;

  /** Bytes of the messages that are queued. */
  get bytes(): number {
    return this.#bytes;
  }

  /** About how much memory they take, in bytes: small values take many times what their messages do. */
  get cost(): number {
    return this.#cost;
  }

  /** Puts a batch in, with a barrier behind it where an Ack is asked for. */
  put({ firstSeq, chunks, ackRequest, items: values }: ReadBatch, bytes: number): void {
    const items = chunks;
    const cost = bytes + ITEM_COST * (values + chunks.length + 1);
    if (ackRequest !== AckRequest.UNSPECIFIED) {
      const snapshot = ackRequest === AckRequest.SNAPSHOT;
      items.push(new Barrier(firstSeq + chunks.length - 1, { snapshot }));
    }
    if (items.length === 0) return;
    this.#batches.push({ items, next: 0, bytes, cost });
    this.#bytes += bytes;
    this.#cost += cost;
  }

  /** Whether nothing is queued. */
  get empty(): boolean {
    return this.#batches.length === 0;
  }

  /** Takes the next input. Only if the queue is not empty. */
  take(): unknown {
    const batch = this.#batches[0]!;
    const item = batch.items[batch.next];
    batch.items[batch.next++] = undefined;
    if (batch.next === batch.items.length) {
      this.#batches.shift();
      this.#bytes -= batch.bytes;
      this.#cost -= batch.cost;
    }
    return item;
  }

  /** Drops all but markers. */
  drop(): void {
    for (const batch of this.#batches) {
      batch.items = batch.items.slice(batch.next).filter((item) => item instanceof Marker);
      batch.next = 0;
    }
    const kept = this.#batches.filter(({ items }) => items.length > 0);
    this.#batches.splice(0, this.#batches.length, ...kept);
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#cost = kept.reduce((sum, { cost }) => sum + cost, 0);
  }
}

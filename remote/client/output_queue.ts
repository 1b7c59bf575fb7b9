import { Marker } from "../../core/frames/mod.ts";

/** An Ack that stands between outputs, and is heeded once they are consumed. */
export interface QueuedAck {
  /** Inputs up to this one are worked on. */
  readonly inputSeq: number;
}

/** What is taken from an {@linkcode OutputQueue}. */
export type Taken =
  | {
    kind: "chunk";
    chunk: unknown;
    seq: number;
    /** Bytes of the message, if this is its last chunk. */
    freed: number;
  }
  | { kind: "ack"; ack: QueuedAck };

interface Entry {
  /** Chunks whose last has sequence number `lastSeq`, or an Ack. */
  chunks: unknown[];
  next: number;
  lastSeq: number;
  bytes: number;
  ack?: QueuedAck;
}

/**
 * Outputs that have come and nobody has read. Bounded by its owner: the server sends no more chunks than
 * it has credit for, and the connection is not read while there are too many bytes.
 */
export class OutputQueue {
  readonly #entries: Entry[] = [];
  #bytes = 0;

  /** Bytes of the messages in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing is left to take. */
  get empty(): boolean {
    return this.#entries.length === 0;
  }

  /** Puts chunks in. @param lastSeq the sequence number of the last; @param bytes of their message */
  put(chunks: unknown[], lastSeq: number, bytes: number): void {
    if (chunks.length === 0) return;
    this.#entries.push({ chunks, next: 0, lastSeq, bytes });
    this.#bytes += bytes;
  }

  /** Puts an Ack in. */
  putAck(ack: QueuedAck): void {
    this.#entries.push({ chunks: [], next: 0, lastSeq: 0, bytes: 0, ack });
  }

  /** Takes the next thing; `undefined` if there is none. */
  take(): Taken | undefined {
    const entry = this.#entries[0];
    if (entry === undefined) return undefined;
    if (entry.ack !== undefined) {
      this.#entries.shift();
      return { kind: "ack", ack: entry.ack };
    }
    const { chunks, lastSeq } = entry;
    const chunk = chunks[entry.next];
    chunks[entry.next++] = undefined;
    const seq = lastSeq - (chunks.length - entry.next);
    if (entry.next < chunks.length) return { kind: "chunk", chunk, seq, freed: 0 };
    this.#entries.shift();
    this.#bytes -= entry.bytes;
    return { kind: "chunk", chunk, seq, freed: entry.bytes };
  }

  /** Drops all chunks but markers. */
  drop(): void {
    for (const entry of this.#entries) {
      entry.chunks = entry.chunks.slice(entry.next).filter((chunk) => chunk instanceof Marker);
      entry.next = 0;
    }
    const kept = this.#entries.filter(({ chunks, ack }) => chunks.length > 0 || ack !== undefined);
    this.#entries.splice(0, this.#entries.length, ...kept);
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
  }
}

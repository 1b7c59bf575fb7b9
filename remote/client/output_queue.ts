import { Marker } from "../../core/frames/mod.ts";

/** A chunk that is taken from an {@linkcode OutputQueue}. */
export interface TakenChunk {
  readonly chunk: unknown;
  /** Bytes of the message, if this is its last chunk. */
  readonly freed: number;
}

interface Entry {
  /** Chunks, or none and an Ack. */
  chunks: unknown[];
  next: number;
  bytes: number;
  /** The last input that an Ack is about. */
  ack?: number;
}

/**
 * Outputs that have come and nobody has read. Bounded by its owner: the server sends no more chunks than
 * it has credit for, and the connection is not read while there are too many bytes.
 */
export class OutputQueue {
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #count = 0;

  /** Chunks in it. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the messages in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing is left to take. */
  get empty(): boolean {
    return this.#entries.length === 0;
  }

  /** Puts chunks in. @param bytes of their message */
  put(chunks: unknown[], bytes: number): void {
    if (chunks.length === 0) return;
    this.#entries.push({ chunks, next: 0, bytes });
    this.#bytes += bytes;
    this.#count += chunks.length;
  }

  /** Puts an Ack in: it is heeded once the outputs before it are taken. @param inputSeq its last input */
  putAck(inputSeq: number): void {
    this.#entries.push({ chunks: [], next: 0, bytes: 0, ack: inputSeq });
  }

  /** Takes an Ack, and gives its last input; `undefined` while a chunk is in front of it, or there is none. */
  takeAck(): number | undefined {
    const ack = this.#entries[0]?.ack;
    if (ack !== undefined) this.#entries.shift();
    return ack;
  }

  /** Takes the next chunk; `undefined` if there is none, or an Ack in front of it. */
  take(): TakenChunk | undefined {
    const entry = this.#entries[0];
    if (entry === undefined || entry.ack !== undefined) return undefined;
    const { chunks } = entry;
    const chunk = chunks[entry.next];
    chunks[entry.next++] = undefined;
    this.#count--;
    if (entry.next < chunks.length) return { chunk, freed: 0 };
    this.#entries.shift();
    this.#bytes -= entry.bytes;
    return { chunk, freed: entry.bytes };
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
    this.#count = kept.reduce((sum, { chunks }) => sum + chunks.length, 0);
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
    this.#count = 0;
  }
}

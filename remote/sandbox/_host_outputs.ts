import { Marker } from "../../core/frames/marker.ts";

/** The most outputs of a segment that wait here; fewer of larger ones, so that they have about so many bytes. */
export const OUTPUTS = 64;
const FIRST_OUTPUTS = 8;
const LEAST_OUTPUTS = 2;
const OUTPUT_BYTES = 8 << 20;
/** The most bytes of outputs that wait here, whatever a guest sends. */
const MAX_OUTPUT_BYTES = 512 << 20;

/**
 * Outputs of a segment that wait for a reader. The guest may send as many as it was given credit for, which keeps
 * at most 64 of them here, and about 8 MiB; one that sends more is told on.
 */
export class HostOutputs {
  #chunks: unknown[] = [];
  #bytes = 0;
  /** How many the guest may still send, and how many more once it is told. */
  #credit = 0;
  #due = 0;
  #window = FIRST_OUTPUTS;

  /** Whether none waits. */
  get empty(): boolean {
    return this.#chunks.length === 0;
  }

  /** So many come. @throws {Error} if the guest may not send as many */
  expect(count: number): void {
    this.#credit -= count;
    if (this.#credit < 0) throw new Error("it sent more outputs than it may");
  }

  /** One came that is large enough to tell how many like it may wait. */
  measure(bytes: number): void {
    const fitting = Math.floor(OUTPUT_BYTES / Math.max(bytes, 1));
    this.#window = Math.max(LEAST_OUTPUTS, Math.min(OUTPUTS, fitting));
  }

  /** Puts one behind the others. @throws {Error} if they are too large together */
  put(chunk: unknown, bytes: number): void {
    this.#chunks.push(chunk);
    this.#bytes += bytes;
    if (this.#bytes > MAX_OUTPUT_BYTES) throw new Error("it sent more bytes than it may");
  }

  /** Takes the first. */
  take(): unknown {
    const chunk = this.#chunks.shift();
    if (this.#chunks.length === 0) this.#bytes = 0;
    return chunk;
  }

  /** Drops them, but for markers. */
  drop(): void {
    this.#chunks = this.#chunks.filter((chunk) => chunk instanceof Marker);
  }

  /** Drops all. */
  clear(): void {
    this.#chunks = [];
  }

  /** Finds out how many more there is room for. Gives whether they are worth a message. */
  makeDue(): boolean {
    const free = this.#window - this.#chunks.length - this.#credit - this.#due;
    if (free <= 0) return false;
    if (this.#window > 4 && free < this.#window / 4) return false; // not for each one of many
    this.#due += free;
    return true;
  }

  /** How many more the guest is told now that it may send. */
  takeDue(): number {
    const count = this.#due;
    this.#due = 0;
    this.#credit += count;
    return count;
  }
}

import { Marker } from "../../core/frames/marker.ts";

/** The most outputs of a segment that wait here; fewer of larger ones, so that they have about so many bytes. */
export const OUTPUTS = 64;
const FIRST_OUTPUTS = 8;
const LEAST_OUTPUTS = 2;
const OUTPUT_BYTES = 8 << 20;
/** With so many bytes of outputs waiting here, no more is read of the guest. */
const MAX_OUTPUT_BYTES = 32 << 20;

/**
 * Outputs of a segment that wait for a reader. The guest may send as many as it was given credit for, which keeps
 * at most 64 of them here, and about 8 MiB; one that sends more is told on. Where they turn out larger than those
 * before them, at most 32 MiB and one message wait here, and the rest in the guest.
 */
export class HostOutputs {
  #chunks: { chunk: unknown; bytes: number }[] = [];
  #bytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
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

  /** Puts one behind the others. */
  put(chunk: unknown, bytes: number): void {
    this.#chunks.push({ chunk, bytes });
    this.#bytes += bytes;
  }

  /** Resolves when there is room for more bytes; `undefined` if there is now. */
  get room(): Promise<void> | undefined {
    if (this.#bytes <= MAX_OUTPUT_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Takes the first. */
  take(): unknown {
    const first = this.#chunks.shift();
    this.#took(first?.bytes ?? 0);
    return first?.chunk;
  }

  /** Drops them, but for markers. */
  drop(): void {
    const kept = this.#chunks.filter(({ chunk }) => chunk instanceof Marker);
    this.#chunks = kept;
    this.#took(this.#bytes - kept.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  /** Drops all. */
  clear(): void {
    this.#chunks = [];
    this.#took(this.#bytes);
  }

  #took(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes > MAX_OUTPUT_BYTES) return;
    this.#room?.resolve();
    this.#room = undefined;
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

import { bytesOf, isKept, takeBatch } from "./_wire.ts";
import type { Entry } from "./protocol.ts";

/** The most inputs of a segment that wait, and about how many bytes of them. */
export const INPUTS = 64;
const LEAST_INPUTS = 2;
const INPUT_BYTES = 8 << 20;

/**
 * Inputs of a segment that wait here, or in the guest. Holds at most 64 of them, and 8 MiB beyond which only a
 * second one is taken.
 */
export class HostInputs {
  #pending: Entry[] = [];
  /** The sizes of those that were sent and for which the guest has not given credit yet. */
  readonly #sent: number[] = [];
  /** Bytes of those that are pending or sent. */
  #bytes = 0;

  /** Whether some wait to be sent. */
  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** Whether one more may be added. */
  get hasRoom(): boolean {
    const count = this.#sent.length + this.#pending.length;
    return count < INPUTS && (this.#bytes < INPUT_BYTES || count < LEAST_INPUTS);
  }

  /** Adds one. */
  add(entry: Entry): void {
    this.#pending.push(entry);
    this.#bytes += bytesOf(entry);
  }

  /** Takes as many as go into one message. */
  take(): Entry[] {
    const entries = takeBatch(this.#pending);
    this.#sent.push(...entries.map(bytesOf));
    return entries;
  }

  /** The guest has taken so many. @throws {Error} if it did not get as many */
  credited(count: number): void {
    if (count > this.#sent.length) throw new Error("it gave credit for inputs that it did not get");
    for (const bytes of this.#sent.splice(0, count)) this.#bytes -= bytes;
  }

  /** Drops what is not sent, but for markers. */
  drop(): void {
    for (const entry of this.#pending) if (!isKept(entry)) this.#bytes -= bytesOf(entry);
    this.#pending = this.#pending.filter(isKept);
  }

  /** Drops all that is not sent. */
  clear(): void {
    this.#pending = [];
  }
}

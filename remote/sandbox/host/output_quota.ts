import type { CompleteLimits } from "../limits.ts";

/** The most that a process may write to its outputs in one second; all it says goes over the socket. */
const MAX_STRAY_BYTES = 1 << 20;

/** Counts what a sandbox sends. Each method gives what was too much, for the error; `undefined` if nothing was. */
export class OutputQuota {
  #bytes = 0;
  #second = { messages: 0, lines: 0, strayBytes: 0, since: performance.now() };

  /** A message of so many bytes came. */
  message(bytes: number, { outputBytes, messagesPerSecond }: CompleteLimits): string | undefined {
    this.#bytes += bytes;
    if (this.#bytes > outputBytes) return `sent ${this.#bytes} bytes`;
    const messages = ++this.#now().messages;
    return messages > messagesPerSecond ? `sent ${messages} messages in a second` : undefined;
  }

  /** The message was a line of its console. */
  line({ logLinesPerSecond }: CompleteLimits): string | undefined {
    const lines = ++this.#now().lines;
    return lines > logLinesPerSecond ? `wrote ${lines} lines in a second` : undefined;
  }

  /** So many bytes were written past the socket. */
  stray(bytes: number): string | undefined {
    const strayBytes = this.#now().strayBytes += bytes;
    return strayBytes > MAX_STRAY_BYTES
      ? `wrote ${strayBytes} bytes to its outputs in a second`
      : undefined;
  }

  #now(): { messages: number; lines: number; strayBytes: number } {
    const now = performance.now();
    if (now - this.#second.since > 1000) {
      this.#second = { messages: 0, lines: 0, strayBytes: 0, since: now };
    }
    return this.#second;
  }
}

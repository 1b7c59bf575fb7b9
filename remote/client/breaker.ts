/** Failures in a row after which an endpoint is left alone. */
const THRESHOLD = 3;

/** How long it is left alone at first and at the longest, in ms. */
const [MIN_REST, MAX_REST] = [1_000, 30_000];

/**
 * A circuit breaker: an endpoint that failed three times in a row is left alone for a second, then for
 * twice as long each time that it fails again.
 */
export class Breaker {
  #failures = 0;
  #restUntil = 0;

  /** Whether the endpoint is left alone. @param now the time, in ms */
  isOpen(now: number = Date.now()): boolean {
    return now < this.#restUntil;
  }

  /** It worked. */
  succeed(): void {
    this.#failures = 0;
    this.#restUntil = 0;
  }

  /**
   * It could not be reached, or broke. What fails while it is left alone was begun before, and tells nothing new:
   * a server that ends takes all of its sessions along. @param now the time, in ms
   */
  fail(now: number = Date.now()): void {
    if (this.isOpen(now)) return;
    this.#failures++;
    if (this.#failures < THRESHOLD) return;
    const rest = Math.min(MAX_REST, MIN_REST * 2 ** (this.#failures - THRESHOLD));
    this.#restUntil = now + rest;
  }
}

import { type Clock, install } from "@sinonjs/fake-timers";

/**
 * Stops the time of this process: `Date`, `performance.now()`, timers. It moves only by
 * {@linkcode FakeClock.tick}, and goes on when the clock is disposed.
 *
 * @example
 * ```ts
 * import { FakeClock } from "@remotemedia/sdk/testing";
 *
 * using clock = new FakeClock();
 * let rang = false;
 * setTimeout(() => rang = true, 60_000);
 * await clock.tick(60_000);
 * console.log(rang); // true
 * ```
 */
export class FakeClock implements Disposable {
  readonly #clock: Clock;

  /**
   * Stops the time.
   *
   * @param start what `Date.now()` gives at first, in ms since 1970. @default 0
   */
  constructor(start = 0) {
    this.#clock = install({
      now: start,
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
    });
  }

  /** The time, in ms since 1970. */
  get now(): number {
    return this.#clock.now;
  }

  /** Moves the time on; timers on the way fire, and what waits on them runs. @param ms how far */
  async tick(ms: number): Promise<void> {
    await this.#clock.tickAsync(ms);
  }

  /** Lets the time run again. */
  [Symbol.dispose](): void {
    this.#clock.uninstall();
  }
}

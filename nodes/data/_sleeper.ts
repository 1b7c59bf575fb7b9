/** Waits that can all be ended at once. Holds one timer for each that waits. */
export class Sleeper {
  readonly #waiting = new Map<ReturnType<typeof setTimeout>, () => void>();

  /** Resolves after `ms`, or when {@linkcode Sleeper.wakeAll} is called; never fails. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(timer);
        resolve();
      }, ms);
      this.#waiting.set(timer, resolve);
    });
  }

  /** Ends all waits now. */
  wakeAll(): void {
    for (const [timer, resolve] of this.#waiting) {
      clearTimeout(timer);
      resolve();
    }
    this.#waiting.clear();
  }
}

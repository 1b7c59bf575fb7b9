/** Work that several callers wait for at once, done once. Ends when the last of them no longer waits. */
export class SharedFlight<T> {
  readonly #flights = new Map<
    string,
    { result: Promise<T>; stop: AbortController; waiting: number }
  >();

  /**
   * Waits for the work of a key, and starts it if nobody has yet.
   *
   * @param work is given a signal that aborts when all who wait have gone; settles only when nothing of it is left
   * @param signal this caller no longer waits
   * @throws what the work throws, or the signal's reason
   */
  async join(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting++;
    const leave = () => {
      if (--flight.waiting > 0) return;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      flight.stop.abort(signal?.reason);
    };
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => {
      leave();
      aborted.resolve();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const settled = flight.result.then((value) => ({ value }));
      const outcome = await Promise.race([settled, aborted.promise]);
      if (outcome !== undefined) return outcome.value;
      // The last to leave stays until the work has cleaned up, so that no child outlives the call.
      if (flight.waiting === 0) await flight.result.catch(() => undefined);
      throw signal!.reason;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>) {
    const stop = new AbortController();
    const flight = { result: work(stop.signal), stop, waiting: 0 };
    this.#flights.set(key, flight);
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then(land, land);
    return flight;
  }
}

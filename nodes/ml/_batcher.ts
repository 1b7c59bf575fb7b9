/** How jobs are put together. */
export interface BatchRules {
  /** The most jobs of a batch. */
  maxBatch: number;
  /** How long the first job of a batch waits for others, in ms, while nothing runs. */
  maxWaitMs: number;
}

/** A job that waits. */
interface Waiting<J, R> {
  job: J;
  key: string;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Runs the jobs of several streams together. While a batch runs, the next one gathers; when nothing runs, a job
 * starts at once, or after `maxWaitMs`. Full batches run beside others, up to as many as there are cores but one;
 * a part of a batch only on its own, so that it fills up.
 *
 * Where a batch of several fails, each of its jobs runs again on its own, so that only those fail that are at
 * fault. What waits is bounded by its callers: each waits for its job.
 */
export class Batcher<J, R> {
  readonly #run: (jobs: J[]) => Promise<R[]>;
  readonly #rules: BatchRules;
  readonly #parallel: number = Math.max(1, navigator.hardwareConcurrency - 1);
  #waiting: Waiting<J, R>[] = [];
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param run gives the results in the order of the jobs */
  constructor(run: (jobs: J[]) => Promise<R[]>, rules: BatchRules) {
    this.#run = run;
    this.#rules = rules;
  }

  /**
   * Runs a job with others.
   *
   * @param key only jobs with the same key fit into one batch; @param signal takes it out while it waits
   */
  submit(job: J, key = "", signal?: AbortSignal): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const entry: Waiting<J, R> = { job, key, resolve, reject };
      this.#waiting.push(entry);
      this.#start();
      if (signal === undefined || !this.#waiting.includes(entry)) return;
      const leave = () => {
        const at = this.#waiting.indexOf(entry);
        if (at === -1) return; // it runs: its result goes nowhere
        this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      const forget = () => signal.removeEventListener("abort", leave);
      entry.resolve = (result) => (forget(), resolve(result));
      entry.reject = (error) => (forget(), reject(error));
    });
  }

  /** Starts what can start. */
  #start(): void {
    const { maxBatch, maxWaitMs } = this.#rules;
    while (this.#waiting.length > 0) {
      const isFull = this.#waiting.length >= maxBatch;
      if (this.#running >= (isFull ? this.#parallel : 1)) return;
      if (!isFull && maxWaitMs > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          if (this.#waiting.length > 0 && this.#running === 0) void this.#runNext();
        }, maxWaitMs);
        return;
      }
      void this.#runNext();
    }
  }

  /** Runs the oldest jobs that fit together. Never fails. */
  async #runNext(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#take();
    this.#running++;
    try {
      await this.#settle(batch);
    } finally {
      this.#running--;
      this.#start();
    }
  }

  #take(): Waiting<J, R>[] {
    const { maxBatch } = this.#rules;
    const all = this.#waiting;
    const { key } = all[0]!;
    if (all.length <= maxBatch && all.every((each) => each.key === key)) {
      this.#waiting = [];
      return all;
    }
    const batch: Waiting<J, R>[] = [];
    this.#waiting = all.filter((each) => {
      const joins = each.key === key && batch.length < maxBatch;
      if (joins) batch.push(each);
      return !joins;
    });
    return batch;
  }

  async #settle(batch: Waiting<J, R>[]): Promise<void> {
    let results: R[];
    try {
      results = await this.#run(batch.map(({ job }) => job));
    } catch (error) {
      if (batch.length === 1) return batch[0]!.reject(error);
      for (const each of batch) await this.#settle([each]);
      return;
    }
    for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
  }
}

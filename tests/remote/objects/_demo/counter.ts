/** A counter, as in the original's demo of remote objects. */
export class Counter {
  static made = 0;
  /** How many events there were. */
  events: string[] = [];
  #value: number;

  constructor(start = 0) {
    if (!Number.isFinite(start)) throw new TypeError("start must be a number");
    this.#value = start;
    Counter.made++;
  }

  static zero(): Counter {
    return new Counter(0);
  }

  get value(): number {
    return this.#value;
  }

  set value(value: number) {
    if (value < 0) throw new RangeError("no counter is below 0");
    this.#value = value;
  }

  increment(): number {
    return ++this.#value;
  }

  async add(by: number): Promise<number> {
    await Promise.resolve();
    return this.#value += by;
  }

  *below(): Generator<number> {
    for (let count = 0; count < this.#value; count++) yield count;
  }

  fail(): never {
    throw new RangeError(`failed at ${this.#value}`);
  }

  [Symbol.dispose](): void {
    disposed.push(this.#value);
  }
}

/** The values of counters that were let go. */
export const disposed: number[] = [];

export function* fibonacci(): Generator<number> {
  for (let [a, b] = [0, 1];; [a, b] = [b, a + b]) yield a;
}

export function* squares(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index * index;
}

/** How often `endlessly()` was ended by its reader. */
export let endedLater = 0;

export async function* endlessly(): AsyncGenerator<number> {
  try {
    for (let count = 0;; count++) {
      await Promise.resolve();
      yield count;
    }
  } finally {
    endedLater++;
  }
}

export async function* countSlowly(count: number): AsyncGenerator<number> {
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    yield index;
  }
}

/** How often `endless()` was ended by its reader. */
export let ended = 0;

export function* endless(): Generator<number> {
  try {
    for (let count = 0;; count++) yield count;
  } finally {
    ended++;
  }
}

export const settings = { depth: 3, names: ["a", "b"] };

export function mapAll(values: number[], change: (value: number) => number | Promise<number>) {
  return Promise.all(values.map(change));
}

export function report(options: { onProgress: (share: number) => void }): string {
  for (const share of [0, 0.5, 1]) options.onProgress(share);
  return "done";
}

export function adder(by: number): (value: number) => number {
  return (value) => value + by;
}

/** Sums counters, and tells whether the first two are the same one. */
export function total(counters: Counter[], last: { counter: Counter }): [number, boolean] {
  const sum = [...counters, last.counter].reduce((sum, { value }) => sum + value, 0);
  return [sum, counters[0] === counters[1]];
}

/** Cannot be assigned to. */
export const sealed = Object.freeze({ a: 1, read: () => 1 });

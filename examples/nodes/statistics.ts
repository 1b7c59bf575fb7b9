/** The mean of some numbers. */
export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Counts, and keeps the count where it lives. */
export class Counter {
  #value: number;

  constructor(start: number) {
    this.#value = start;
  }

  add(by: number): number {
    return this.#value += by;
  }

  *down(): Generator<number> {
    for (let value = this.#value; value > 0; value--) yield value;
  }
}

export class Counter {
  value = 0;
  constructor() {
    throw new Error("not called");
  }
  add(by: number): number {
    return this.value += by;
  }
  async fail(): Promise<never> {
    await Promise.resolve();
    throw new RangeError(`at ${this.value}`);
  }
}

export class Private {
  #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  static restore(state: number): Private {
    return new Private(state);
  }
  snapshot(): number {
    return this.#value;
  }
  increment(): number {
    return ++this.#value;
  }
}

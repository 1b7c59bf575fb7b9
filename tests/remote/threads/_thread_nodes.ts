import { AudioFrame, Node } from "@remotemedia/sdk";

/** Works hard: counts primes below its input. */
export class CountPrimes extends Node<number, number> {
  static override readonly module = import.meta.url;
  process(below: number): number {
    let count = 0;
    for (let number = 2; number < below; number++) {
      let prime = true;
      for (let divisor = 2; divisor * divisor <= number; divisor++) {
        if (number % divisor === 0) {
          prime = false;
          break;
        }
      }
      if (prime) count++;
    }
    return count;
  }
}

/** Takes the longer the smaller its input, so that disorder would show. */
export class LaterIsFaster extends Node<number, number> {
  static override readonly module = import.meta.url;
  async process(input: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 20 - input)));
    return input;
  }
}

/** Gives each number so often. */
export class Repeat extends Node<number, number> {
  static override readonly module = import.meta.url;
  *process(input: number): Generator<number> {
    for (let count = 0; count < input % 4; count++) yield input;
  }
}

/** Throws at one number. */
export class ThrowAt extends Node<number, number, { at: number }> {
  static override readonly module = import.meta.url;
  process(input: number): number {
    if (input === this.options.at) throw new RangeError(`no ${input}`);
    return input;
  }
}

/** Sums up. */
export class Sum extends Node<number, number> {
  static override readonly module = import.meta.url;
  #sum = 0;
  process(input: number): undefined {
    this.#sum += input;
  }
  override flush(): number {
    return this.#sum;
  }
}

/** Makes audio louder. */
export class Gain extends Node<AudioFrame, AudioFrame, { by: number }> {
  static override readonly module = import.meta.url;
  process(frame: AudioFrame): AudioFrame {
    const { by = 1 } = this.options;
    return new AudioFrame({ ...frame, data: frame.data.map((sample) => sample * by) });
  }
}

/** Takes no time at all, and never ends. */
export class Endless extends Node<number, number> {
  static override readonly module = import.meta.url;
  *process(): Generator<number> {
    for (let count = 0;; count++) yield count;
  }
}

/** A function as a node. */
export function twice(input: number): number {
  return 2 * input;
}

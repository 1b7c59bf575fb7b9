import { type AudioFrame, Node } from "@remotemedia/sdk";

/** Gives its input. */
export class Echo extends Node<AudioFrame, AudioFrame> {
  static override readonly module = import.meta.url;
  process(input: AudioFrame): AudioFrame {
    return input;
  }
}

/** Works hard: counts primes below its input and gives the input. */
export class Work extends Node<number, number> {
  static override readonly module = import.meta.url;
  process(below: number): number {
    return countPrimes(below) > 0 ? below : 0;
  }
}

/** Counts primes below a number. */
export function countPrimes(below: number): number {
  let count = 0;
  for (let number = 2; number < below; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return count;
}

/** The least that a remote call can do. */
export function echo(value: number): number {
  return value;
}

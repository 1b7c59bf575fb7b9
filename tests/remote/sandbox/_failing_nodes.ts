import { Node } from "@remotemedia/sdk";

/** Gives as many numbers as its input says, and if that is below 0 throws behind them. */
export class GiveThenThrow extends Node<number, number> {
  static override readonly module = import.meta.url;
  *process(count: number): Generator<number> {
    for (let index = 0; index < Math.abs(count); index++) yield index;
    if (count < 0) throw new RangeError("enough");
  }
}

/** Gives what cannot travel. */
export class Unsendable extends Node<number, unknown> {
  static override readonly module = import.meta.url;
  process(input: number): unknown {
    return { list: [input, { call: () => input }] };
  }
}

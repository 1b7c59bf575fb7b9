import { format } from "./pkg/shared/format.ts";

/** The original's calculator. */
export class Calculator {
  readonly history: string[] = [];
  #total = 0;

  add(a: number, b: number): number {
    return this.#note(format("add", a, b), a + b);
  }

  multiply(a: number, b: number): number {
    return this.#note(format("multiply", a, b), a * b);
  }

  running(by: number): number {
    this.#total += by;
    return this.#note(format("running", by), this.#total);
  }

  #note(line: string, result: number): number {
    this.history.push(`${line} = ${result}`);
    return result;
  }
}

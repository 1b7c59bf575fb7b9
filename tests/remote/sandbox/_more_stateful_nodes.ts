import { Node } from "../../../core/mod.ts";

/** Numbers what passes, in a module of its own. */
export class Numbering extends Node<unknown, { number: number; input: unknown }> {
  static override readonly module = import.meta.url;
  #number = 0;

  process(input: unknown): { number: number; input: unknown } {
    return { number: this.#number++, input };
  }

  override snapshot(): unknown {
    return this.#number;
  }

  override restore(state: number): void {
    this.#number = state;
  }
}

/** Marks what passes. */
export function marked(value: object): object {
  return { ...value, marked: true };
}

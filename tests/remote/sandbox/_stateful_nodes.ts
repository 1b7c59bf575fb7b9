import { Node } from "../../../core/mod.ts";

/** What a {@linkcode Ledger} gives. */
export interface Entry {
  /** What it was given. */
  input: unknown;
  /** How many it was given so far. */
  count: number;
  /** How many of them had an even number. */
  even: number;
  /** The process in which it runs. */
  pid: number;
}

/** Keeps account of what passes; gives what it works with as its state, not a copy. */
export class Ledger extends Node<unknown, Entry> {
  static override readonly module = import.meta.url;
  #state = new Map([["count", 0], ["even", 0]]);

  process(input: unknown): Entry {
    const count = this.#state.get("count")! + 1;
    this.#state.set("count", count);
    if (count % 2 === 0) this.#state.set("even", this.#state.get("even")! + 1);
    return { input, count, even: this.#state.get("even")!, pid: Deno.pid };
  }

  override snapshot(): unknown {
    return this.#state;
  }

  override restore(state: Map<string, number>): void {
    this.#state = state;
  }
}

/** Keeps nothing. */
export class Wrap extends Node<unknown, { wrapped: unknown; pid: number }> {
  static override readonly module = import.meta.url;
  static override readonly stateless = true;

  async process(input: unknown): Promise<{ wrapped: unknown; pid: number }> {
    await Promise.resolve();
    return { wrapped: input, pid: Deno.pid };
  }
}

/** Keeps a count that it cannot give away. */
export class Rooted extends Node<unknown, { count: number; pid: number }> {
  static override readonly module = import.meta.url;
  #count = 0;

  process(): { count: number; pid: number } {
    return { count: ++this.#count, pid: Deno.pid };
  }
}

/** Has a state that cannot travel. */
export class Secretive extends Node<unknown, unknown> {
  static override readonly module = import.meta.url;

  process(input: unknown): unknown {
    return input;
  }

  override snapshot(): unknown {
    return { keep: { callback: () => 1 } };
  }

  override restore(): void {}
}

/** Uses more of the processor than it may, from a chunk on. */
export class SpinAt extends Node<number, number> {
  static override readonly module = import.meta.url;
  static override readonly stateless = true;

  process(input: number): number {
    while (input === 40);
    return input;
  }
}

/** Fails outside of any call, from a chunk on. */
export class StumbleAt extends Node<number, number> {
  static override readonly module = import.meta.url;
  static override readonly stateless = true;

  process(input: number): number {
    if (input === 40) setTimeout(() => Promise.reject(new Error("stumbled")), 0);
    return input;
  }
}

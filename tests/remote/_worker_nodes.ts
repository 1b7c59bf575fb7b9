import { Node } from "../../core/mod.ts";

/** When and where a chunk was worked on. */
export interface Work {
  pid: number;
  from: number;
  to: number;
}

/** Computes for as many milliseconds as it is told, and tells where and when. */
export class Computes extends Node<number, Work> {
  static override readonly stateless = true;
  process(ms: number): Work {
    const from = Date.now();
    const until = performance.now() + ms;
    while (performance.now() < until);
    return { pid: Deno.pid, from, to: Date.now() };
  }
}

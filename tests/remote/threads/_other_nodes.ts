import { Node } from "@remotemedia/sdk";

/** Has the name of a node of `_thread_nodes.ts`, and does something else. */
export class ThrowAt extends Node<number, string, { at: number }> {
  static override readonly module = import.meta.url;
  process(input: number): string {
    return `other ${input}`;
  }
}

/** Has the name of a function of `_thread_nodes.ts`, and does something else. */
export function twice(input: number): string {
  return `other ${input}`;
}

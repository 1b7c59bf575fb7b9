import type { Node } from "../../../core/mod.ts";

/** What a node makes of chunks, whatever their types. */
export function through<O>(
  node: Node<never, O, object, never>,
  chunks: Iterable<unknown>,
): Promise<O[]> {
  return Array.fromAsync(ReadableStream.from(chunks as Iterable<never>).pipeThrough(node));
}

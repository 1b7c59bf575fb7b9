import { z, type ZodType } from "zod";
import { Node } from "../../core/node.ts";

/** {@linkcode PassThrough} has no options. */
export type PassThroughOptions = Readonly<Record<never, never>>;

/**
 * Gives every chunk as it came, the same object. To measure with, or to hang `queue` or `executor` on.
 *
 * @typeParam T chunks, of any kind
 *
 * @example
 * ```ts
 * import { PassThrough } from "@remotemedia/sdk/nodes";
 *
 * const output = ReadableStream.from([1, 2, 3]).pipeThrough(new PassThrough<number>());
 * console.log(await Array.fromAsync(output)); // [1, 2, 3]
 * ```
 */
export class PassThrough<T = unknown> extends Node<T, T, PassThroughOptions> {
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Refuses any option. */
  static override readonly options: ZodType<PassThroughOptions> = z.strictObject({});

  /** Gives the chunk. */
  override process(input: T): T {
    return input;
  }
}

import { createHash } from "node:crypto";
import { z } from "zod";
import { encodeValue } from "../../core/codec/codec.ts";
import { Node } from "../../core/node.ts";
import { fieldOf, fieldOption } from "./_field.ts";

const schema = z.strictObject({
  field: fieldOption,
  size: z.int().min(1).max(1_000_000).default(1000)
    .describe("How many different values are remembered; 1 compares with the last one only"),
});

/** Options of {@linkcode Deduplicator}. */
export interface DeduplicatorOptions {
  /** Path to the part of the chunk that is compared, such as `metadata.id`. @default the whole chunk */
  field?: string;
  /** How many different values are remembered; 1 compares with the last one only. @default 1000 */
  size: number;
}

/**
 * Drops what was there before: a chunk equal to one of the last `size` different ones. Chunks are equal if they
 * have equal contents, in whatever order the fields of an object come; a chunk that has nothing at `field`
 * always passes. Remembers 44 bytes at the most for each value, the least recently seen is forgotten first.
 * An interrupt forgets nothing. Throws a `SerializationError` on a chunk without comparable contents, such as a
 * function.
 *
 * @example
 * ```ts
 * import { Deduplicator } from "@remotemedia/sdk/nodes";
 *
 * const once = ReadableStream.from([1, 1, 2, 1]).pipeThrough(new Deduplicator());
 * console.log(await Array.fromAsync(once)); // [1, 2]
 * ```
 */
export class Deduplicator<T = unknown> extends Node<T, T, DeduplicatorOptions> {
  /** The name of the type. */
  static override readonly type = "Deduplicator";
  /** Checks the options. */
  static override readonly options: z.ZodType<DeduplicatorOptions> = schema;
  /** The values seen, the most recent one last. */
  readonly #seen = new Set<string>();

  /** Gives the chunk if it is new. */
  process(input: T): T | undefined {
    const value = fieldOf(input, this.options.field);
    if (value === undefined) return input;
    const key = keyOf(value);
    const isKnown = this.#seen.delete(key);
    this.#seen.add(key);
    if (this.#seen.size > this.options.size) this.#seen.delete(this.#seen.keys().next().value!);
    return isKnown ? undefined : input;
  }

  /** The values seen, as digests, the most recent one last. */
  override snapshot(): string[] {
    return [...this.#seen];
  }

  /** Goes on from the values seen. */
  override restore(state: string[]): void {
    for (const key of state) this.#seen.add(key);
  }
}

/** A text that is equal for equal values: the value's bytes as base64, or their digest if that is shorter. */
function keyOf(value: unknown): string {
  const bytes = encodeValue(typeof value === "object" ? sorted(value, 0) : value);
  if (bytes.length <= 32) return bytes.toBase64();
  return createHash("sha256").update(bytes).digest("base64");
}

/** The deepest nesting that is sorted; the codec refuses what is deeper anyway. */
const MAX_DEPTH = 200;

/** The value with the fields of its plain objects in one order. */
function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const fields = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field, depth + 1)]));
}

import { z } from "zod";
import { Node } from "../../core/node.ts";
import { kindOf } from "./_chunk_kind.ts";
import { fieldOf, fieldOption, requireTimestamp } from "./_field.ts";

/** What {@linkcode DataAggregator} can make of the values in a window. */
export const aggregateOperations = ["collect", "sum", "average", "count", "min", "max"] as const;

/** One of the operations of {@linkcode DataAggregator}. */
export type AggregateOperation = typeof aggregateOperations[number];

const schema = z.strictObject({
  operation: z.enum(aggregateOperations).default("collect")
    .describe("What is made of the values in a window"),
  field: fieldOption,
  size: z.number().positive().default(10).describe("Length of a window, in chunks or ms"),
  step: z.number().positive().optional()
    .describe(
      "From the start of a window to that of the next; size if absent: they do not overlap",
    ),
  unit: z.enum(["chunks", "ms"]).default("chunks")
    .describe("Whether size and step are in chunks, or in ms by the timestamps of chunks"),
  maxChunks: z.int().min(1).max(1_000_000).default(100_000)
    .describe("The most values in a window of ms; one more fails the stream"),
}).refine(({ size, step }) => step === undefined || step <= size, {
  message: "step must be at most size",
  path: ["step"],
}).refine(({ size, step, unit }) => unit === "ms" || areWhole(size, step), {
  message: "size and step must be whole numbers when they are in chunks",
  path: ["size"],
});

/** Options of {@linkcode DataAggregator}. */
export interface DataAggregatorOptions {
  /** What is made of the values in a window. @default "collect" */
  operation: AggregateOperation;
  /** Path to the value in a chunk, such as `score`. @default the whole chunk */
  field?: string;
  /** Length of a window, in chunks or ms. @default 10 */
  size: number;
  /** From the start of a window to that of the next. @default size: windows do not overlap */
  step?: number;
  /** Whether `size` and `step` are in chunks, or in ms by the timestamps of chunks. @default "chunks" */
  unit: "chunks" | "ms";
  /** The most values in a window of ms; one more fails the stream. @default 100000 */
  maxChunks: number;
}

/** A window that is over. */
export interface AggregateWindow {
  /** What was made of its values. */
  operation: AggregateOperation;
  /** The result: a number, for `collect` the values. */
  value: unknown;
  /** How many values were in it. */
  count: number;
  /** Where it starts: the index of a chunk from 0, or a time in µs. */
  start: number;
  /** Where it ends, exclusive: an index, or a time in µs. */
  end: number;
}

/** A value of a window. */
export interface AggregateEntry {
  /** Its index, or its time in µs. */
  at: number;
  /** What it is. */
  value: unknown;
}

/**
 * Takes chunks by windows and gives one result for each: `collect`, `sum`, `average`, `count`, `min`, `max`.
 * Windows follow each other (tumbling), or overlap where `step` is less than `size` (sliding).
 *
 * Windows of time are counted from the first timestamp; one ends when a chunk comes at or after its end, an
 * empty one gives nothing. A timestamp before the start of the window ends it, and windows are counted from
 * there. At the end of the stream the window that is begun is given if it holds anything new.
 *
 * Keeps the values of one window: `size` chunks, or `maxChunks` and then a `RangeError`. Throws a `TypeError`
 * on a value that is no finite number where numbers are needed, and on a chunk without timestamp in
 * windows of time. An interrupt forgets the values.
 *
 * @example
 * ```ts
 * import { DataAggregator } from "@remotemedia/sdk/nodes";
 *
 * const node = new DataAggregator({ operation: "average", size: 3, step: 1 });
 * const means = await Array.fromAsync(ReadableStream.from([1, 2, 3, 7]).pipeThrough(node));
 * console.log(means.map(({ value }) => value)); // [2, 4]
 * ```
 */
export class DataAggregator extends Node<unknown, AggregateWindow, DataAggregatorOptions> {
  /** The name of the type. */
  static override readonly type = "DataAggregator";
  /** Checks the options. */
  static override readonly options: z.ZodType<DataAggregatorOptions> = schema;
  /** Lengths in chunks, or in µs. */
  readonly #size = this.#scale(this.options.size);
  readonly #step = this.#scale(this.options.step ?? this.options.size);
  #entries: AggregateEntry[] = [];
  /** Where the window starts; `undefined` before the first chunk. */
  #start: number | undefined;
  #index = 0;
  /** Whether the window holds a value that was in none before. */
  #fresh = false;

  /** Gives the windows that are over. */
  *process(input: unknown): Generator<AggregateWindow> {
    const { unit, field, maxChunks } = this.options;
    const at = unit === "chunks" ? this.#index++ : requireTimestamp(this.type, input);
    const value = this.#check(fieldOf(input, field));
    if (this.#start !== undefined && at < this.#start) yield* this.#startAnew();
    this.#start ??= at;
    if (at >= this.#start + this.#size) yield* this.#moveTo(at);
    if (unit === "ms" && this.#entries.length >= maxChunks) {
      throw new RangeError(`The window holds ${maxChunks} values already, which is maxChunks`);
    }
    this.#entries.push({ at, value });
    this.#fresh = true;
    if (unit === "chunks" && at + 1 === this.#start + this.#size) yield* this.#moveTo(at + 1);
  }

  /** Gives the window that is begun. */
  override *flush(): Generator<AggregateWindow> {
    if (this.#fresh) yield this.#window();
  }

  /** Forgets all values. */
  override onInterrupt(): void {
    this.#entries = [];
    this.#start = undefined;
    this.#fresh = false;
  }

  /** The values of the window. */
  override snapshot(): unknown {
    const entries = this.#entries.map((entry) => ({ ...entry }));
    return { entries, start: this.#start, index: this.#index, fresh: this.#fresh };
  }

  /** Goes on with the values of the window. */
  override restore(
    state: { entries: AggregateEntry[]; start: number | undefined; index: number; fresh: boolean },
  ): void {
    this.#entries = [...state.entries];
    this.#start = state.start;
    this.#index = state.index;
    this.#fresh = state.fresh;
  }

  #scale(length: number): number {
    return this.options.unit === "ms" ? length * 1000 : length;
  }

  *#startAnew(): Generator<AggregateWindow> {
    const last = this.#fresh ? this.#window() : undefined;
    this.onInterrupt();
    if (last !== undefined) yield last;
  }

  /** Ends windows until one holds `at`. */
  *#moveTo(at: number): Generator<AggregateWindow> {
    while (at >= this.#start! + this.#size) {
      const window = this.#entries.length === 0 ? undefined : this.#window();
      const steps = window === undefined
        ? Math.floor((at - this.#start! - this.#size) / this.#step) + 1 // past empty windows at once
        : 1;
      this.#start! += steps * this.#step;
      this.#entries = this.#entries.filter((entry) => entry.at >= this.#start!);
      this.#fresh = false;
      if (window !== undefined) yield window;
    }
  }

  #window(): AggregateWindow {
    const { operation } = this.options;
    const values = this.#entries.map(({ value }) => value);
    const [start, count] = [this.#start!, values.length];
    const end = this.options.unit === "chunks" ? start + count : start + this.#size;
    return { operation, value: aggregate(operation, values), count, start, end };
  }

  #check(value: unknown): unknown {
    const { operation, field } = this.options;
    if (operation === "collect" || operation === "count" || Number.isFinite(value)) return value;
    const what = field === undefined ? "the chunk" : `"${field}"`;
    const found = typeof value === "number" ? value : kindOf(value);
    throw new TypeError(`Cannot take the ${operation} as ${what} is no finite number: ${found}`);
  }
}

function aggregate(operation: AggregateOperation, values: unknown[]): unknown {
  const numbers = values as number[];
  switch (operation) {
    case "collect":
      return values;
    case "count":
      return values.length;
    case "sum":
      return sum(numbers);
    case "average":
      return sum(numbers) / numbers.length;
    case "min":
      return numbers.reduce((a, b) => Math.min(a, b));
    case "max":
      return numbers.reduce((a, b) => Math.max(a, b));
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, value) => all + value, 0);
}

function areWhole(size: number, step: number | undefined): boolean {
  return Number.isSafeInteger(size) && Number.isSafeInteger(step ?? size);
}

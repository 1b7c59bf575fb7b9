import type { ReadOptions } from "./read_options.ts";

/** The part of the media that is wanted, in µs from its start. */
export interface TimeRange {
  fromUs: number;
  toUs: number;
}

/** The part that `start` and `duration` ask for. */
export function timeRange({ start = 0, duration = Infinity }: ReadOptions): TimeRange {
  return { fromUs: start * 1e6, toUs: (start + duration) * 1e6 };
}

import { cannot } from "../errors.ts";

/** Whatever else travels with a frame: structured-clonable values by name. */
export type Metadata = Readonly<Record<string, unknown>>;

/** What all frames have. */
export interface FrameInit {
  /** When the frame starts, in µs; rounded to a whole number. @default 0 */
  timestamp?: number;
  /** Whatever else travels with the frame. @default {} */
  metadata?: Metadata;
}

/** The one empty metadata object, shared so that a frame without any costs nothing. */
export const noMetadata: Metadata = Object.freeze({});

/** The timestamp as a whole number of µs. */
export function checkTimestamp(action: string, timestamp: number): number {
  const rounded = Math.round(timestamp);
  if (!Number.isSafeInteger(rounded)) {
    throw new TypeError(
      cannot(action, { rule: "timestamp must be a number of µs", value: timestamp }),
    );
  }
  return rounded;
}

/** A count or size as a whole number from `min` up. */
export function checkWhole(action: string, name: string, value: number, min: number): number {
  if (!Number.isSafeInteger(value) || value < min) {
    const rule = `${name} must be a whole number of at least ${min}`;
    throw new RangeError(cannot(action, { rule, value }));
  }
  return value;
}

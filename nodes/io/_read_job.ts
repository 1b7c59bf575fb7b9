import type { ReadOptions } from "./read_options.ts";

/** What all ways of reading have to know. */
export interface ReadJob {
  /** What is read, for messages. */
  name: string;
  /** How it is read. */
  options: ReadOptions;
  /** Aborted when nobody reads any more. */
  signal: AbortSignal;
  /** Tells of what is wrong with the media but does not end the reading. */
  warn: (message: string) => void;
}

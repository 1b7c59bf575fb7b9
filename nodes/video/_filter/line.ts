import type { ToolParser } from "./tool_run.ts";

/** One ffmpeg's worth of frames: those of one format, whose timestamps rise. */
export interface Line<I, O = I> {
  /** ffmpeg's arguments. */
  readonly args: readonly string[];
  /** Reads what ffmpeg writes. */
  readonly parser: ToolParser<O>;
  /** What is written first. */
  header(): Uint8Array;
  /** Whether the frame goes on from the last one. */
  accepts(frame: I): boolean;
  /** What is written for it. */
  pieces(frame: I): Uint8Array[];
}

/** What every ffmpeg of a filter begins with: nothing of the input is waited for but the frame itself. */
export const inputArgs: readonly string[] = [
  ...["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"],
  ...["-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"],
  ...["-f", "nut", "-i", "pipe:0", "-copyts"],
];

/** Times that ffmpeg writes are later by this, in µs, as NUT knows none below 0. */
export const OFFSET_US = 1e9;

/** What ends them. */
export const pipeArgs: readonly string[] = [
  ...["-output_ts_offset", String(OFFSET_US / 1e6)],
  ...["-flush_packets", "1", "-f", "nut", "pipe:1"],
];

/** What ends them where frames come out: one thread, as several would each hold a frame back. */
export const outputArgs: readonly string[] = ["-threads", "1", ...pipeArgs];

import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import type { ResolvedOutput } from "./_output.ts";
import type { WriteOptions } from "./write_options.ts";

/** What takes frames and makes a file of them. */
export interface MediaSink {
  /** Looks whether the output can be written, before anything comes. */
  open(): Promise<void>;
  /** Takes one frame. Resolves when there is room for another. */
  write(frame: AudioFrame | VideoFrame): Promise<void>;
  /** Completes the file. */
  close(): Promise<void>;
  /** Leaves nothing behind. */
  abort(reason: unknown): Promise<void>;
}

/** What all sinks have to know. */
export interface WriteJob {
  /** What is done, to follow `Cannot` in messages. */
  action: string;
  /** Where it goes. */
  output: ResolvedOutput;
  /** How it is written. */
  options: WriteOptions;
  /** Aborted when it shall not be completed. */
  signal: AbortSignal;
  /** Tells what is odd but does not end the writing. */
  warn: (message: string) => void;
}

import type { AudioFrame, AudioFrameInit } from "../../core/frames/audio_frame.ts";
import type { Timeline } from "./_timeline.ts";

/** Frames of one format without a jump in time: what a node with memory works on as one. */
export interface Run {
  /** In Hz. */
  readonly sampleRate: number;
  /** Channels that come in. */
  readonly channels: number;
  /** When its samples are heard. */
  readonly timeline: Timeline;
}

/** Whether the frame goes on with the run; if there is none, there is nothing to end. */
export function goesOn(run: Run | undefined, frame: AudioFrame): boolean {
  return run === undefined ||
    run.sampleRate === frame.sampleRate && run.channels === frame.numberOfChannels &&
      run.timeline.continues(frame.timestamp);
}

/** No, one or several chunks, as a node gives them. */
export function outputOf<T>(chunks: T[]): T | undefined | Iterator<T, unknown> {
  return chunks.length <= 1 ? chunks[0] : chunks.values();
}

/** A frame as a structured-clonable value: cloning an `AudioFrame` itself would lose its class. */
export type FrameState = Required<AudioFrameInit>;

/** A frame as a structured-clonable value. */
export function frameState(frame: AudioFrame): FrameState {
  const { data, sampleRate, numberOfChannels, timestamp, metadata } = frame;
  return { data, sampleRate, numberOfChannels, timestamp, metadata };
}

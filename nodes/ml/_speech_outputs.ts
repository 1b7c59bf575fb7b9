import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { type FrameState, frameState } from "../audio/_run.ts";
import type { Timeline } from "../audio/_timeline.ts";
import { pieceOf } from "./_speech_input.ts";
import type { Span } from "./_speech_segments.ts";

/** A stretch of speech. */
export interface SpeechSegment {
  /** Counts the segments of the stream, from 0. */
  segment: number;
  /** When it starts, with its padding, in µs. */
  start: number;
  /** When it ends, with its padding, in µs. */
  end: number;
  /** The mean probability of its windows, without the padding, 0 to 1. */
  probability: number;
}

/** Makes of a run of frames and of what is known of it the outputs of one `emit` mode. */
export interface SpeechOutputs<O> {
  /** Takes the next frame. */
  add(frame: AudioFrame): void;
  /** Takes the probability of a window that ends at this sample of the run. */
  judged(end: number, probability: number): void;
  /** Takes the next stretches, in samples of the input; gives what can be given by now. */
  take(spans: readonly Span[]): O[];
  /** What it holds, structured-clonable. */
  snapshot(): unknown;
  /** Goes on from a snapshot. */
  restore(state: unknown): void;
}

/** `emit: "segments"`. Holds the start of the segment that goes on. */
export class SegmentOutputs implements SpeechOutputs<SpeechSegment> {
  readonly #timeline: Timeline;
  #start: number | null = null;

  /** @param timeline of the run */
  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Frames are not needed. */
  add(): void {}

  /** The mean comes with the segment. */
  judged(): void {}

  /** Gives the segments that have ended. */
  take(spans: readonly Span[]): SpeechSegment[] {
    const segments: SpeechSegment[] = [];
    for (const { start, end, speech, ended, segment } of spans) {
      if (!speech) continue;
      this.#start ??= Math.round(this.#timeline.at(start));
      if (ended === undefined) continue;
      const endTime = Math.round(this.#timeline.at(end));
      segments.push({ segment, start: this.#start, end: endTime, probability: ended });
      this.#start = null;
    }
    return segments;
  }

  /** The start of the segment that goes on. */
  snapshot(): number | null {
    return this.#start;
  }

  /** Goes on from a snapshot. */
  restore(state: unknown): void {
    this.#start = state as number | null;
  }
}

/** A frame, and its samples' places in the run. */
interface HeldFrame {
  frame: AudioFrame;
  start: number;
  end: number;
}

/** State of {@linkcode FrameOutputs}, structured-clonable. */
interface FrameOutputsState {
  frames: FrameState[];
  position: number;
  known: number;
  spans: Span[];
  judged: { end: number; probability: number }[];
}

/**
 * `emit: "speech"` and `"annotate"`. Holds frames until all of their samples are known to be speech or not,
 * so no more than the longest frame and what {@linkcode SpeechSegments} does not tell yet.
 */
export class FrameOutputs implements SpeechOutputs<AudioFrame> {
  readonly #emit: "speech" | "annotate";
  #frames: HeldFrame[] = [];
  /** Where the next frame starts. */
  #position = 0;
  /** Up to where all is known. */
  #known = 0;
  #spans: Span[] = [];
  #judged: { end: number; probability: number }[] = [];

  /** @param emit whether to give speech only, or all frames with notes */
  constructor(emit: "speech" | "annotate") {
    this.#emit = emit;
  }

  /** Holds the frame. */
  add(frame: AudioFrame): void {
    const end = this.#position + frame.numberOfFrames;
    this.#frames.push({ frame, start: this.#position, end });
    this.#position = end;
  }

  /** Keeps the probability for the frames that are heard in the window. */
  judged(end: number, probability: number): void {
    if (this.#emit === "annotate") this.#judged.push({ end, probability });
  }

  /** Gives the frames of which all is known. */
  take(spans: readonly Span[]): AudioFrame[] {
    for (const span of spans) this.#join(span);
    const frames: AudioFrame[] = [];
    while (this.#frames.length > 0 && this.#frames[0]!.end <= this.#known) {
      const held = this.#frames.shift()!;
      if (this.#emit === "speech") frames.push(...this.#speechOf(held));
      else frames.push(this.#annotated(held));
      while (this.#spans.length > 0 && this.#spans[0]!.end <= held.end) this.#spans.shift();
      while (this.#judged.length > 0 && this.#judged[0]!.end <= held.end) this.#judged.shift();
    }
    return frames;
  }

  /** The frames, and what is known of them. */
  snapshot(): FrameOutputsState {
    return {
      frames: this.#frames.map(({ frame }) => frameState(frame)),
      position: this.#frames[0]?.start ?? this.#position,
      known: this.#known,
      spans: this.#spans.map((span) => ({ ...span })),
      judged: [...this.#judged],
    };
  }

  /** Goes on from a snapshot. */
  restore(state: unknown): void {
    const { frames, position, known, spans, judged } = state as FrameOutputsState;
    this.#frames = [];
    this.#position = position;
    for (const frame of frames) this.add(new AudioFrame(frame));
    this.#known = known;
    this.#spans = spans.map((span) => ({ ...span }));
    this.#judged = [...judged];
  }

  /** Notes speech; stretches of one segment become one. */
  #join(span: Span): void {
    this.#known = span.end;
    if (!span.speech || span.end === span.start) return;
    const last = this.#spans.at(-1);
    if (last?.segment === span.segment) last.end = span.end;
    else this.#spans.push({ ...span });
  }

  /** The parts of a frame that are speech. */
  *#speechOf({ frame, start, end }: HeldFrame): Generator<AudioFrame> {
    for (const span of this.#spans) {
      const [from, to] = [Math.max(start, span.start), Math.min(end, span.end)];
      if (from >= to) continue;
      yield frame.with({
        data: pieceOf(frame, from - start, to - start),
        timestamp: frame.timestamp + (from - start) * 1e6 / frame.sampleRate,
        metadata: { ...frame.metadata, segment: span.segment },
      });
    }
  }

  #annotated({ frame, start, end }: HeldFrame): AudioFrame {
    const speech = this.#spans.some((span) => span.start < end && span.end > start);
    let probability = 0;
    for (const judged of this.#judged) {
      probability = Math.max(probability, judged.probability);
      if (judged.end >= end) break;
    }
    return frame.with({ metadata: { ...frame.metadata, speech, probability } });
  }
}

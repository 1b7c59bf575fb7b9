import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { ResamplerState } from "../audio/_resampler.ts";
import type { Run } from "../audio/_run.ts";
import type { Speex } from "../audio/_speex.ts";
import { Timeline, type TimelineState } from "../audio/_timeline.ts";
import { SpeechInput } from "./_speech_input.ts";
import { MODEL_RATE, type SpeechModel, WINDOW } from "./_speech_model.ts";
import { FrameOutputs, SegmentOutputs, type SpeechOutputs } from "./_speech_outputs.ts";
import {
  type SegmentRules,
  type SegmentsState,
  type Span,
  SpeechSegments,
} from "./_speech_segments.ts";

/** What a {@linkcode SpeechRun} is made for. */
export interface SpeechRunOptions {
  /** In Hz. */
  sampleRate: number;
  /** Channels that come in. */
  channels: number;
  /** What to give. */
  emit: "segments" | "speech" | "annotate";
  /** Segments of earlier runs. */
  count: number;
  /** When a run of windows counts as speech. */
  rules: SegmentRules;
}

/** State of a {@linkcode SpeechRun}, structured-clonable. */
export interface SpeechRunState {
  sampleRate: number;
  channels: number;
  timeline: TimelineState;
  input: ResamplerState | null;
  model: Float32Array;
  filled: number;
  heard: number;
  segments: SegmentsState;
  outputs: unknown;
}

/** A run of frames on its way: to windows, to probabilities, to segments, to outputs. */
export class SpeechRun<O> implements Run {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  /** From frames to samples at 16 kHz. */
  readonly input: SpeechInput;
  /** Judges windows. */
  readonly model: SpeechModel;
  readonly #segments: SpeechSegments;
  readonly #outputs: SpeechOutputs<O>;
  /** Samples of the window that are there. */
  #filled = 0;
  /** Samples at 16 kHz so far. */
  #heard = 0;

  /** @param speex for rates other than 16 kHz; @param model judges windows; @param options what it is for */
  constructor(speex: Speex, model: SpeechModel, options: SpeechRunOptions) {
    const { sampleRate, channels, emit, count, rules } = options;
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.timeline = new Timeline(sampleRate);
    this.input = new SpeechInput(speex, sampleRate);
    this.model = model;
    this.#segments = new SpeechSegments(rules, count);
    // who names the mode names the type of its outputs
    this.#outputs =
      (emit === "segments"
        ? new SegmentOutputs(this.timeline)
        : new FrameOutputs(emit)) as SpeechOutputs<unknown> as SpeechOutputs<O>;
  }

  /** Segments that have ended, with those of earlier runs. */
  get count(): number {
    return this.#segments.segments;
  }

  /** How many windows the frame completes at the most. */
  windowsOf({ numberOfFrames }: AudioFrame): number {
    const samples = this.#filled + numberOfFrames * MODEL_RATE / this.sampleRate + 1;
    return Math.floor(samples / WINDOW);
  }

  /** Whether the window is complete. */
  get isFull(): boolean {
    return this.#filled === WINDOW;
  }

  /** Whether the window has no sample yet. */
  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  /** Takes note of the next frame. Its samples come by {@linkcode SpeechRun.fill}. */
  add(frame: AudioFrame): void {
    this.timeline.add(frame.timestamp, frame.numberOfFrames);
    this.#outputs.add(frame);
  }

  /** Puts samples into the window, as many as it takes. @returns how many */
  fill(samples: Float32Array, from: number): number {
    const count = Math.min(WINDOW - this.#filled, samples.length - from);
    const isAll = from === 0 && count === samples.length;
    this.model.window.set(isAll ? samples : samples.subarray(from, from + count), this.#filled);
    this.#filled += count;
    this.#heard += count;
    return count;
  }

  /** Fills the window up with silence. */
  pad(): void {
    this.model.window.fill(0, this.#filled);
  }

  /** Takes the probability of the window; the next can be filled. */
  judge(probability: number): O[] {
    this.#filled = 0;
    this.#outputs.judged(this.#positionOf(this.#heard), probability);
    const spans = this.#segments.push(probability);
    return spans.length === 0 ? [] : this.#take(this.#toInput(spans));
  }

  /** Ends the run. @param partial the probability of the last window, if it was not full */
  finish(partial?: number): O[] {
    const end = this.timeline.position;
    if (partial !== undefined) this.#outputs.judged(end, partial);
    const spans = this.#toInput(this.#segments.finish(this.#heard, partial));
    const last = spans.at(-1);
    // what is rounded away at 16 kHz belongs to the last stretch
    if (last !== undefined) last.end = end;
    else spans.push({ start: end, end, speech: false, segment: this.count });
    return this.#take(spans);
  }

  /** Its state, for {@linkcode SpeechRun.restore}. */
  snapshot(): SpeechRunState {
    return {
      sampleRate: this.sampleRate,
      channels: this.channels,
      timeline: this.timeline.snapshot(),
      input: this.input.snapshot(),
      model: this.model.snapshot(),
      filled: this.#filled,
      heard: this.#heard,
      segments: this.#segments.snapshot(),
      outputs: this.#outputs.snapshot(),
    };
  }

  /** Goes on from a snapshot. */
  restore(state: SpeechRunState): void {
    this.timeline.restore(state.timeline);
    this.input.restore(state.input);
    this.model.restore(state.model);
    this.#filled = state.filled;
    this.#heard = state.heard;
    this.#segments.restore(state.segments);
    this.#outputs.restore(state.outputs);
  }

  /** Counts the stretches in samples of the input. */
  #toInput(spans: Span[]): Span[] {
    for (const span of spans) {
      span.start = this.#positionOf(span.start);
      span.end = this.#positionOf(span.end);
    }
    return spans;
  }

  #take(spans: readonly Span[]): O[] {
    const outputs = this.#outputs.take(spans);
    this.timeline.forget(spans.at(-1)!.end);
    return outputs;
  }

  /** The frame that came in at the time of a sample at 16 kHz. */
  #positionOf(sample: number): number {
    const position = Math.round(sample * this.sampleRate / MODEL_RATE);
    return Math.min(position, this.timeline.position);
  }
}

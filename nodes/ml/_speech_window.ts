import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Run } from "../audio/_run.ts";
import type { Speex } from "../audio/_speex.ts";
import { Timeline } from "../audio/_timeline.ts";
import { SpeechInput } from "./_speech_input.ts";
import { MODEL_RATE } from "./_speech_model.ts";
import { TranscriptStitcher } from "./_transcript_stitcher.ts";

/** A run of frames as a recogniser hears it: a window of samples, mono at 16 kHz. */
export class SpeechWindow implements Run {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  /** From frames to samples at 16 kHz. */
  readonly input: SpeechInput;
  /** Makes one transcript of the hypotheses. */
  readonly stitcher: TranscriptStitcher = new TranscriptStitcher();
  readonly #samples: Float32Array;
  /** Samples in the window. */
  #length = 0;
  /** Samples that have left the window. */
  #gone = 0;
  /** Samples since the last hypothesis. */
  #news = 0;

  /** @param speex for rates other than 16 kHz; @param frame the first; @param capacity in samples, at most */
  constructor(speex: Speex, frame: AudioFrame, capacity: number) {
    this.sampleRate = frame.sampleRate;
    this.channels = frame.numberOfChannels;
    this.timeline = new Timeline(frame.sampleRate);
    this.input = new SpeechInput(speex, frame.sampleRate);
    this.#samples = new Float32Array(capacity);
  }

  /** What is in the window. */
  get samples(): Float32Array {
    return this.#samples.slice(0, this.#length);
  }

  /** Samples in the window. */
  get length(): number {
    return this.#length;
  }

  /** Samples since the last hypothesis. */
  get news(): number {
    return this.#news;
  }

  /** When the window begins, in µs. */
  get start(): number {
    return this.timeAt(0);
  }

  /** When the window ends, in µs. */
  get end(): number {
    return this.timeAt(this.#length);
  }

  /** When a sample of the window is heard, in µs: by the timestamps of the frames that it came in. */
  timeAt(sample: number): number {
    return Math.round(this.timeline.at(this.#positionOf(sample)));
  }

  /** Puts samples in, as many as fit and as `most`. @returns how many */
  fill(samples: Float32Array, from: number, most: number): number {
    const count = Math.min(samples.length - from, this.#samples.length - this.#length, most);
    this.#samples.set(samples.subarray(from, from + count), this.#length);
    this.#length += count;
    this.#news += count;
    return count;
  }

  /** All is heard by now. */
  heard(): void {
    this.#news = 0;
  }

  /** How many samples of the window are before a time. */
  lengthBefore(time: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeAt(middle + 0.5) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops the first samples. */
  dropTo(count: number): void {
    this.#samples.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#gone += count;
    this.timeline.forget(this.#positionOf(0));
  }

  /** The sample of the run at the time of one of the window. */
  #positionOf(sample: number): number {
    return (this.#gone + sample) * this.sampleRate / MODEL_RATE;
  }
}

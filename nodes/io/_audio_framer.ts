import { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { AudioShape } from "./_audio_converter.ts";

/** Samples of a frame, for a length that need not be whole samples. */
export function framesIn(frameMs: number, sampleRate: number): number {
  return Math.max(1, Math.round(frameMs * sampleRate / 1000));
}

/**
 * Cuts a stream of samples into frames of one size. Their timestamps come from the count of samples, so
 * they do not drift. Holds less than one frame.
 */
export class AudioFramer {
  readonly #shape: AudioShape;
  readonly #size: number;
  #startUs: number;
  /** Sample frames since `#startUs` that were given. */
  #given = 0;
  #pending: Float32Array;
  #filled = 0;

  /** @param shape what comes; @param options `frameMs`: how long a frame is; `startUs`: when the first sample is heard, in µs */
  constructor(shape: AudioShape, { frameMs, startUs }: { frameMs: number; startUs: number }) {
    this.#shape = shape;
    this.#size = framesIn(frameMs, shape.sampleRate);
    this.#startUs = startUs;
    this.#pending = new Float32Array(this.#size * shape.numberOfChannels);
  }

  /** When the next sample is heard, in µs. */
  get nextUs(): number {
    return this.#startUs + (this.#given + this.#filled) * 1e6 / this.#shape.sampleRate;
  }

  /** Takes planar samples from frame `from` to frame `to`, and gives the frames that are full. */
  push(
    data: Float32Array,
    from = 0,
    to = data.length / this.#shape.numberOfChannels,
  ): AudioFrame[] {
    const { numberOfChannels } = this.#shape;
    const stride = data.length / numberOfChannels;
    const frames: AudioFrame[] = [];
    for (let at = from; at < to;) {
      const count = Math.min(to - at, this.#size - this.#filled);
      for (let channel = 0; channel < numberOfChannels; channel++) {
        const start = channel * stride + at;
        this.#pending.set(data.subarray(start, start + count), channel * this.#size + this.#filled);
      }
      this.#filled += count;
      at += count;
      if (this.#filled === this.#size) frames.push(this.#give(this.#pending));
    }
    return frames;
  }

  /** Lets what follows be heard from `startUs` on; gives what was begun before. */
  restart(startUs: number): AudioFrame[] {
    const frames = this.flush();
    this.#startUs = startUs;
    this.#given = 0;
    return frames;
  }

  /** What is left: one frame, shorter than the others, or none. */
  flush(): AudioFrame[] {
    if (this.#filled === 0) return [];
    const { numberOfChannels } = this.#shape;
    const data = new Float32Array(this.#filled * numberOfChannels);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const start = channel * this.#size;
      data.set(this.#pending.subarray(start, start + this.#filled), channel * this.#filled);
    }
    return [this.#give(data)];
  }

  #give(data: Float32Array): AudioFrame {
    const { sampleRate, numberOfChannels } = this.#shape;
    const timestamp = this.#startUs + this.#given * 1e6 / sampleRate;
    this.#given += this.#filled;
    this.#filled = 0;
    if (data === this.#pending) this.#pending = new Float32Array(data.length);
    return new AudioFrame({ data, sampleRate, numberOfChannels, timestamp });
  }
}

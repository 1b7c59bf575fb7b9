import { mix } from "../audio/_mix.ts";
import { StreamingResampler } from "../audio/_resampler.ts";

/** What samples are, or shall be. */
export interface AudioShape {
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels. */
  numberOfChannels: number;
}

/** Converts a stream of planar samples to other channels and another rate. Holds the resampler's filter. */
export class AudioConverter {
  readonly #from: number;
  readonly #between: number;
  readonly #to: number;
  readonly #resampler: StreamingResampler | undefined;

  private constructor(from: number, to: number, resampler: StreamingResampler | undefined) {
    this.#from = from;
    this.#between = Math.min(from, to); // fewer channels are less to resample
    this.#to = to;
    this.#resampler = resampler;
  }

  /** @throws {RangeError} if the rates are too far apart */
  static async create(from: AudioShape, to: AudioShape): Promise<AudioConverter> {
    const numberOfChannels = Math.min(from.numberOfChannels, to.numberOfChannels);
    const [inputRate, outputRate] = [from.sampleRate, to.sampleRate];
    const resampler = inputRate === outputRate
      ? undefined
      : await StreamingResampler.create({ inputRate, outputRate, numberOfChannels });
    return new AudioConverter(from.numberOfChannels, to.numberOfChannels, resampler);
  }

  /** The next samples, planar. */
  process(data: Float32Array): Float32Array {
    const mixed = mix(data, this.#from, this.#between);
    const resampled = this.#resampler === undefined ? mixed : this.#resampler.process(mixed);
    return mix(resampled, this.#between, this.#to);
  }

  /** What is left at the end. */
  flush(): Float32Array {
    return mix(this.#resampler?.flush() ?? new Float32Array(0), this.#between, this.#to);
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#resampler?.[Symbol.dispose]();
  }
}

import { StreamingResampler } from "../audio/_resampler.ts";
import { channelMix, mixesDown } from "./_channel_mix.ts";

/** What samples are, or shall be. */
export interface AudioShape {
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels. */
  numberOfChannels: number;
}

/** Converts a stream of planar samples to other channels and another rate. Holds the resampler's filter. */
export class AudioConverter {
  readonly #before: (data: Float32Array) => Float32Array;
  readonly #after: (data: Float32Array) => Float32Array;
  readonly #resampler: StreamingResampler | undefined;

  private constructor(from: number, to: number, resampler: StreamingResampler | undefined) {
    const same = (data: Float32Array) => data;
    const mix = channelMix(from, to);
    [this.#before, this.#after] = mixesDown(from, to) ? [mix, same] : [same, mix];
    this.#resampler = resampler;
  }

  /**
   * @throws {MediaError} if there is no rule for these numbers of channels
   * @throws {RangeError} if the rates are too far apart
   */
  static async create(from: AudioShape, to: AudioShape): Promise<AudioConverter> {
    const { numberOfChannels } = from;
    channelMix(numberOfChannels, to.numberOfChannels); // refuse before anything is loaded
    const resampler = from.sampleRate === to.sampleRate ? undefined : await StreamingResampler
      .create({
        inputRate: from.sampleRate,
        outputRate: to.sampleRate,
        numberOfChannels: Math.min(numberOfChannels, to.numberOfChannels),
      });
    return new AudioConverter(numberOfChannels, to.numberOfChannels, resampler);
  }

  /** The next samples, planar. */
  process(data: Float32Array): Float32Array {
    const mixed = this.#before(data);
    return this.#after(this.#resampler === undefined ? mixed : this.#resampler.process(mixed));
  }

  /** What is left at the end. */
  flush(): Float32Array {
    return this.#after(this.#resampler?.flush() ?? new Float32Array(0));
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#resampler?.[Symbol.dispose]();
  }
}

import { cannot } from "../errors.ts";
import { checkTimestamp, type FrameInit, type Metadata, noMetadata } from "./_frame.ts";

/** What an {@linkcode AudioFrame} is made of. */
export interface AudioFrameInit extends FrameInit {
  /** Samples, planar `[channels × frames]`: all of channel 0, then all of channel 1, … Full scale is ±1. */
  data: Float32Array;
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels, 1 to 32. @default 1 */
  numberOfChannels?: number;
}

/** The most channels that a frame can have. */
export const MAX_CHANNELS = 32;

/**
 * A piece of uncompressed audio, with the field names of WebCodecs' `AudioData`. The samples are
 * always `f32-planar`: one `Float32Array` `[channels × frames]`, full scale ±1. A frame may be empty
 * (0 frames). Frames are not to be changed once they are handed on; {@linkcode AudioFrame.with} makes
 * a changed one.
 *
 * @example
 * ```ts
 * import { AudioFrame } from "@remotemedia/sdk";
 *
 * const frame = new AudioFrame({ data: new Float32Array(480), sampleRate: 48_000, timestamp: 0 });
 * console.log(frame.numberOfFrames, frame.duration); // 480 10000
 * ```
 */
export class AudioFrame {
  /** Tells the kinds of frames apart. */
  readonly kind = "audio";
  /** The layout of `data`, in WebCodecs' word for it. */
  readonly format = "f32-planar";
  /** Samples, planar `[channels × frames]`. */
  readonly data: Float32Array;
  /** Samples a second, in Hz. */
  readonly sampleRate: number;
  /** Channels, 1 to 32. */
  readonly numberOfChannels: number;
  /** Samples of each channel. */
  readonly numberOfFrames: number;
  /** When the first sample is heard, in µs, a whole number. */
  readonly timestamp: number;
  /** Whatever else travels with the frame. */
  readonly metadata: Metadata;

  /**
   * Checks and keeps what it is given; copies nothing.
   *
   * @param init the samples and what they mean
   * @throws {TypeError} if `data` is not a `Float32Array` or `timestamp` is not a finite number
   * @throws {RangeError} if the rate, the number of channels or the length of `data` cannot be
   */
  constructor(init: AudioFrameInit) {
    const { data, sampleRate, numberOfChannels = 1, timestamp = 0, metadata = noMetadata } = init;
    if (!(data instanceof Float32Array)) {
      const rule = "data must be a Float32Array";
      throw new TypeError(cannot("create AudioFrame", { rule, value: data }));
    }
    if (!(sampleRate > 0 && sampleRate <= 768_000)) {
      const rule = "sampleRate must be above 0 and at most 768000 Hz";
      throw new RangeError(cannot("create AudioFrame", { rule, value: sampleRate }));
    }
    if (
      !Number.isInteger(numberOfChannels) || numberOfChannels < 1 || numberOfChannels > MAX_CHANNELS
    ) {
      const rule = `numberOfChannels must be a whole number from 1 to ${MAX_CHANNELS}`;
      throw new RangeError(cannot("create AudioFrame", { rule, value: numberOfChannels }));
    }
    if (data.length % numberOfChannels !== 0) {
      const rule = `data must hold as many samples for each of its ${numberOfChannels} channels`;
      throw new RangeError(cannot("create AudioFrame", { rule, value: `${data.length} samples` }));
    }
    this.data = data;
    this.sampleRate = sampleRate;
    this.numberOfChannels = numberOfChannels;
    this.numberOfFrames = data.length / numberOfChannels;
    this.timestamp = checkTimestamp("create AudioFrame", timestamp);
    this.metadata = metadata;
  }

  /** How long the frame sounds, in µs, rounded. */
  get duration(): number {
    return Math.round(this.numberOfFrames * 1e6 / this.sampleRate);
  }

  /**
   * The samples of one channel: a view of `data`, not a copy.
   *
   * @throws {RangeError} if there is no such channel
   */
  channel(index: number): Float32Array {
    if (!Number.isInteger(index) || index < 0 || index >= this.numberOfChannels) {
      const rule = `the channel must be from 0 to ${this.numberOfChannels - 1}`;
      throw new RangeError(cannot("take channel of AudioFrame", { rule, value: index }));
    }
    if (this.numberOfChannels === 1) return this.data;
    return this.data.subarray(index * this.numberOfFrames, (index + 1) * this.numberOfFrames);
  }

  /** A frame like this one but for the fields given. `metadata` is replaced, not merged. */
  with(changes: Partial<AudioFrameInit>): AudioFrame {
    const { data, sampleRate, numberOfChannels, timestamp, metadata } = this;
    return new AudioFrame({ data, sampleRate, numberOfChannels, timestamp, metadata, ...changes });
  }
}

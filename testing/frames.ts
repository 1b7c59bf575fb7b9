import { AudioFrame, cannot, type Metadata } from "../core/mod.ts";

/** What the frame builders have in common. */
export interface AudioOptions {
  /** How long, in seconds. @default 1 */
  seconds?: number;
  /** In Hz. @default 16000 */
  sampleRate?: number;
  /** Channels, all alike. @default 1 */
  numberOfChannels?: number;
  /** Samples a channel of each frame; the last may be shorter. @default 20 ms */
  frameSize?: number;
  /** When the first frame starts, in µs. @default 0 */
  timestamp?: number;
  /** Metadata of each frame. @default {} */
  metadata?: Metadata;
}

/**
 * A sine, cut into frames.
 *
 * @param options `frequency` in Hz (default 440), `amplitude` of full scale (default 0.5), and the rest
 *
 * @example
 * ```ts
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const frames = sine({ frequency: 1000, seconds: 0.1 });
 * console.log(frames.length, frames[1]!.timestamp); // 5 20000
 * ```
 */
export function sine(
  { frequency = 440, amplitude = 0.5, ...options }:
    & AudioOptions
    & { frequency?: number; amplitude?: number } = {},
): AudioFrame[] {
  const { sampleRate = 16_000 } = options;
  const step = 2 * Math.PI * frequency / sampleRate;
  return framesOf((index) => amplitude * Math.sin(step * index), options);
}

/**
 * White noise, the same at each call with the same `seed`, cut into frames.
 *
 * @param options `amplitude` of full scale (default 0.1), `seed` (default 1), and the rest
 *
 * @example
 * ```ts
 * import { noise } from "@remotemedia/sdk/testing";
 *
 * console.log(noise({ seconds: 1 }).length); // 50
 * ```
 */
export function noise(
  { amplitude = 0.1, seed = 1, ...options }:
    & AudioOptions
    & { amplitude?: number; seed?: number } = {},
): AudioFrame[] {
  let state = seed >>> 0;
  return framesOf(() => {
    // Numerical Recipes' linear congruential generator: good enough to be heard as noise
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * (state / 2 ** 31 - 1);
  }, options);
}

/**
 * Silence, cut into frames.
 *
 * @example
 * ```ts
 * import { silence } from "@remotemedia/sdk/testing";
 *
 * console.log(silence({ seconds: 0.5, frameSize: 8000 }).length); // 1
 * ```
 */
export function silence(options: AudioOptions = {}): AudioFrame[] {
  return framesOf(() => 0, options);
}

/**
 * Real speech: three sentences from LibriVox (public domain), 20.89 s at 16 kHz mono, cut into frames.
 *
 * @param options `frameSize`, `timestamp` and `metadata` as above
 *
 * @example
 * ```ts
 * import { speech } from "@remotemedia/sdk/testing";
 *
 * const frames = await speech({ frameSize: 512 });
 * console.log(frames[0]!.sampleRate); // 16000
 * ```
 */
export async function speech(
  options: Pick<AudioOptions, "frameSize" | "timestamp" | "metadata"> = {},
): Promise<AudioFrame[]> {
  const url = new URL("../tests/testdata/conversation.wav", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot read ${url}: ${response.status}`);
  const bytes = new DataView(await response.arrayBuffer());
  const header = 44; // the file is ours: s16 mono at 16 kHz behind a plain header
  const samples = new Float32Array((bytes.byteLength - header) / 2);
  for (let index = 0; index < samples.length; index++) {
    samples[index] = bytes.getInt16(header + 2 * index, true) / 32_768;
  }
  return cut(samples, { ...options, sampleRate: 16_000, numberOfChannels: 1 });
}

/**
 * Cuts planar samples `[channels × frames]` into frames of `frameSize` samples a channel.
 *
 * @throws {RangeError} if `frameSize` is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { cut } from "@remotemedia/sdk/testing";
 *
 * const frames = cut(new Float32Array(1000), { sampleRate: 8000, frameSize: 300 });
 * console.log(frames.map((frame) => frame.numberOfFrames)); // [300, 300, 300, 100]
 * ```
 */
export function cut(
  samples: Float32Array,
  { sampleRate = 16_000, numberOfChannels = 1, timestamp = 0, metadata, ...options }: AudioOptions,
): AudioFrame[] {
  const { frameSize = Math.max(1, Math.round(sampleRate / 50)) } = options;
  if (!Number.isInteger(frameSize) || frameSize < 1) {
    const rule = "frameSize must be a whole number of at least 1";
    throw new RangeError(cannot("cut samples", { rule, value: frameSize }));
  }
  const length = samples.length / numberOfChannels;
  const frames: AudioFrame[] = [];
  for (let start = 0; start < length; start += frameSize) {
    const size = Math.min(frameSize, length - start);
    const data = new Float32Array(size * numberOfChannels);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const from = channel * length + start;
      data.set(samples.subarray(from, from + size), channel * size);
    }
    frames.push(
      new AudioFrame({
        data,
        sampleRate,
        numberOfChannels,
        timestamp: timestamp + start * 1e6 / sampleRate,
        metadata,
      }),
    );
  }
  return frames;
}

/** All samples of frames that follow each other, planar `[channels × frames]`. */
export function joinSamples(frames: readonly AudioFrame[]): Float32Array {
  const channels = frames[0]?.numberOfChannels ?? 1;
  const length = frames.reduce((sum, frame) => sum + frame.numberOfFrames, 0);
  const samples = new Float32Array(length * channels);
  let start = 0;
  for (const frame of frames) {
    for (let channel = 0; channel < channels; channel++) {
      samples.set(frame.channel(channel), channel * length + start);
    }
    start += frame.numberOfFrames;
  }
  return samples;
}

function framesOf(sample: (index: number) => number, options: AudioOptions): AudioFrame[] {
  const { seconds = 1, sampleRate = 16_000, numberOfChannels = 1 } = options;
  const length = Math.round(seconds * sampleRate);
  const samples = new Float32Array(length * numberOfChannels);
  for (let index = 0; index < length; index++) {
    const value = sample(index);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      samples[channel * length + index] = value;
    }
  }
  return cut(samples, options);
}

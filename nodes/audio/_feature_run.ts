import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Fourier } from "./_fourier.ts";
import { cosineRows, melBands, melOfPower } from "./_mel.ts";
import { mix } from "./_mix.ts";
import type { Run } from "./_run.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** What is computed, and from what. */
export interface FeatureRules {
  /** Which feature. */
  feature: "mel" | "log-mel" | "mfcc";
  /** Samples that a spectrum is of, an even number. */
  nFft: number;
  /** Samples of them that are looked at, in the middle. */
  winLength: number;
  /** Samples between two spectra. */
  hopLength: number;
  /** Mel bands. */
  nMels: number;
  /** Cepstral coefficients. */
  nMfcc: number;
  /** Where the lowest band begins and the highest ends, in Hz. */
  fMin: number;
  fMax: number;
}

/** The bands of one spectrum: power, or dB, and when its middle is heard, in µs. */
export interface MelFrame {
  timestamp: number;
  bands: Float64Array;
}

/** State of a {@linkcode FeatureRun}, structured-clonable. */
export interface FeatureRunState {
  sampleRate: number;
  channels: number;
  timeline: TimelineState;
  samples: Float32Array;
  skip: number;
  given: number;
}

/** librosa's `power_to_db`: what is quieter counts as this. */
const QUIETEST = 1e-10;

/**
 * Mel bands of audio of one format without a jump in time. Each spectrum is around its time: half of the first one is of
 * silence before the start, and of the last one after the end. Holds `nFft` samples and the longest frame.
 */
export class FeatureRun implements Run {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  readonly #rules: FeatureRules;
  readonly #fourier: Fourier;
  readonly #window: Float64Array;
  readonly #bands: ReturnType<typeof melBands>;
  readonly #scratch: { samples: Float64Array; power: Float64Array };
  /** Not yet done with: from `given × hopLength - nFft / 2` on. */
  #samples: Float32Array;
  /** Samples to come that no spectrum is of, where spectra are further apart than they are long. */
  #skip = 0;
  /** Spectra that were given. */
  #given = 0;

  constructor(
    { sampleRate, channels }: { sampleRate: number; channels: number },
    rules: FeatureRules,
  ) {
    const { nFft, winLength } = rules;
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.timeline = new Timeline(sampleRate);
    this.#rules = rules;
    this.#fourier = new Fourier(nFft);
    this.#window = hann(winLength, nFft);
    this.#bands = melBands({ ...rules, sampleRate });
    this.#scratch = { samples: new Float64Array(nFft), power: new Float64Array(nFft / 2 + 1) };
    this.#samples = new Float32Array(nFft / 2);
  }

  /** Takes a frame; gives the spectra that are complete. */
  *add(frame: AudioFrame): Generator<MelFrame> {
    this.timeline.add(frame.timestamp, frame.numberOfFrames);
    yield* this.#hear(mix(frame.data, frame.numberOfChannels, 1));
  }

  /** Gives the spectra that reach past the end. */
  *finish(): Generator<MelFrame> {
    yield* this.#hear(new Float32Array(this.#rules.nFft / 2));
  }

  /** What it holds. */
  snapshot(): FeatureRunState {
    return {
      sampleRate: this.sampleRate,
      channels: this.channels,
      timeline: this.timeline.snapshot(),
      samples: this.#samples.slice(),
      skip: this.#skip,
      given: this.#given,
    };
  }

  /** Goes on from a snapshot. */
  restore({ timeline, samples, skip, given }: FeatureRunState): void {
    this.timeline.restore(timeline);
    this.#samples = samples.slice();
    this.#skip = skip;
    this.#given = given;
  }

  *#hear(heard: Float32Array): Generator<MelFrame> {
    const { nFft, hopLength } = this.#rules;
    const samples = heard.subarray(this.#skip);
    this.#skip -= heard.length - samples.length;
    const all = new Float32Array(this.#samples.length + samples.length);
    all.set(this.#samples);
    all.set(samples, this.#samples.length);
    const count = Math.max(0, Math.floor((all.length - nFft) / hopLength) + 1);
    this.#samples = all.slice(count * hopLength);
    this.#skip += Math.max(0, count * hopLength - all.length);
    for (let index = 0; index < count; index++) {
      const position = this.#given++ * hopLength;
      const from = index * hopLength;
      yield {
        timestamp: Math.round(this.timeline.at(position)),
        bands: this.#melOf(all.subarray(from, from + nFft)),
      };
    }
    this.timeline.forget(this.#given * hopLength);
  }

  #melOf(samples: Float32Array): Float64Array {
    const { samples: windowed, power } = this.#scratch;
    for (let index = 0; index < windowed.length; index++) {
      windowed[index] = samples[index]! * this.#window[index]!;
    }
    this.#fourier.power(windowed, power);
    const bands = melOfPower(this.#bands, power);
    if (this.#rules.feature === "mel") return bands;
    return bands.map((energy) => 10 * Math.log10(Math.max(QUIETEST, energy)));
  }
}

/** Makes cepstral coefficients of bands in dB, where those are wanted. */
export function coefficients(
  { feature, nMels, nMfcc }: Pick<FeatureRules, "feature" | "nMels" | "nMfcc">,
): (bands: Float64Array) => Float64Array {
  if (feature !== "mfcc") return (bands) => bands;
  const rows = cosineRows(nMfcc, nMels);
  return (bands) =>
    Float64Array.from(rows, (row) => row.reduce((sum, weight, at) => sum + weight * bands[at]!, 0));
}

/** Hann's window of a period of `length`, in the middle of `size` zeros. */
function hann(length: number, size: number): Float64Array {
  const window = new Float64Array(size);
  const start = Math.floor((size - length) / 2);
  for (let index = 0; index < length; index++) {
    window[start + index] = (1 - Math.cos(2 * Math.PI * index / length)) / 2;
  }
  return window;
}

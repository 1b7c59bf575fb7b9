import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Tensor } from "../../core/frames/tensor.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { coefficients, FeatureRun, type FeatureRunState, type MelFrame } from "./_feature_run.ts";
import { requireFiniteAudio } from "./_frames.ts";
import { goesOn } from "./_run.ts";

/** Options of {@linkcode FeatureExtractor}. The defaults are librosa's. */
export interface FeatureExtractorOptions {
  /** Power in mel bands, that in dB, or cepstral coefficients of that. @default "log-mel" */
  feature: "mel" | "log-mel" | "mfcc";
  /** Samples that a spectrum is of, an even number; powers of two are faster. @default 2048 */
  nFft: number;
  /** Samples of them that are looked at, in the middle. @default nFft */
  winLength?: number;
  /** Samples between two spectra. @default 512 */
  hopLength: number;
  /** Mel bands. @default 128 */
  nMels: number;
  /** Cepstral coefficients, at most `nMels`. @default 20 */
  nMfcc: number;
  /** Where the lowest band begins, in Hz. @default 0 */
  fMin: number;
  /** Where the highest band ends, in Hz. @default half the sample rate */
  fMax?: number;
  /** Everything further than this below the loudest band of all is raised to it, in dB. @default never */
  topDb?: number;
  /** Spectra that a tensor is of. @default 1 */
  framesPerTensor: number;
  /** With `topDb`, the longest stream, in seconds. @default 600 */
  maxSeconds: number;
}

const schema = z.strictObject({
  feature: z.enum(["mel", "log-mel", "mfcc"]).default("log-mel")
    .describe("Power in mel bands, that in dB, or cepstral coefficients of that"),
  nFft: z.int().min(4).max(65_536).multipleOf(2).default(2048)
    .describe("Samples that a spectrum is of, an even number; powers of two are faster"),
  winLength: z.int().min(1).max(65_536).optional()
    .describe("Samples of them that are looked at, in the middle; nFft if absent"),
  hopLength: z.int().min(1).max(65_536).default(512).describe("Samples between two spectra"),
  nMels: z.int().min(1).max(1024).default(128).describe("Mel bands"),
  nMfcc: z.int().min(1).max(1024).default(20).describe("Cepstral coefficients, at most nMels"),
  fMin: z.number().min(0).default(0).describe("Where the lowest band begins, in Hz"),
  fMax: z.number().positive().optional()
    .describe("Where the highest band ends, in Hz; half the sample rate if absent"),
  topDb: z.number().positive().optional()
    .describe("Everything further than this below the loudest band of all is raised to it, in dB"),
  framesPerTensor: z.int().min(1).max(100_000).default(1).describe("Spectra that a tensor is of"),
  maxSeconds: z.number().positive().max(86_400).default(600)
    .describe("With topDb, the longest stream, in seconds"),
}).refine(({ nFft, winLength = nFft }) => winLength <= nFft, {
  path: ["winLength"],
  error: "it must not be above nFft",
}).refine(({ feature, nMels, nMfcc }) => feature !== "mfcc" || nMfcc <= nMels, {
  path: ["nMfcc"],
  error: "it must not be above nMels",
}).refine(({ feature, topDb }) => feature !== "mel" || topDb === undefined, {
  path: ["topDb"],
  error: "it is for dB, not for mel",
});

/**
 * Gives what recognizers and classifiers look at: mel spectra (`mel`, `log-mel`) or cepstral coefficients (`mfcc`), as
 * librosa 0.11 computes them with its defaults: periodic Hann window, spectra around their time with silence before
 * the start and after the end, power, Slaney's mel scale and norm, `power_to_db` (10 log10, at least 1e-10), orthonormal
 * DCT-II. n samples give `1 + floor(n / hopLength)` spectra. Several channels count with their mean; the rate stays as
 * it is, so resample first where a model wants one.
 *
 * A tensor is `float32 [spectra × bands]`, with the time of its first spectrum's middle and the metadata of the
 * frame that completed it; the last one of a run may have fewer spectra. It comes `nFft / 2` samples late.
 *
 * librosa's `power_to_db` and `mfcc` also raise everything to 80 dB below the loudest value of the whole recording:
 * what no stream can know before its end. `topDb: 80` does so, and gives all tensors at the end of the
 * stream; what is longer than `maxSeconds` fails. Without it, memory does not grow.
 *
 * Where the format changes or the timestamp jumps by more than 40 ms, the stream ends in silence and starts
 * anew. An interrupt forgets what is held. NaN and Infinity fail the stream.
 *
 * @example
 * ```ts
 * import { FeatureExtractor } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ seconds: 1 }));
 * const extractor = new FeatureExtractor({ feature: "mfcc", framesPerTensor: 16 });
 * for await (const { dims } of source.pipeThrough(extractor)) console.log(dims); // [16, 20], [16, 20]
 * ```
 */
export class FeatureExtractor extends Node<AudioFrame, Tensor, FeatureExtractorOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  #run: FeatureRun | undefined;
  /** Spectra that wait for others: fewer than a tensor's; with `topDb` at most `maxSeconds` of them. */
  #waiting: MelFrame[] = [];
  #metadata: AudioFrame["metadata"] = {};

  /** Takes a frame; gives the tensors that are complete by now. */
  override process(chunk: AudioFrame): NodeOutput<Tensor> {
    const frame = requireFiniteAudio(this, chunk);
    return frame.numberOfFrames === 0 ? undefined : this.#hear(frame);
  }

  /** Gives what is left. */
  override *flush(): Generator<Tensor> {
    yield* this.#endRun();
  }

  /** Forgets what was heard. */
  override onInterrupt(): void {
    this.#run = undefined;
    this.#waiting = [];
  }

  /** What was heard and is not yet given. */
  override snapshot(): unknown {
    return {
      run: this.#run?.snapshot() ?? null,
      waiting: [...this.#waiting],
      metadata: this.#metadata,
    } satisfies ExtractorState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { run, waiting, metadata } = state as ExtractorState;
    this.#waiting = [...waiting];
    this.#metadata = metadata;
    this.#run = run === null ? undefined : this.#startRun(run);
    if (run !== null) this.#run!.restore(run);
  }

  *#hear(frame: AudioFrame): Generator<Tensor> {
    if (!goesOn(this.#run, frame)) yield* this.#endRun();
    const { sampleRate, numberOfChannels: channels } = frame;
    const run = this.#run ??= this.#startRun({ sampleRate, channels });
    this.#metadata = frame.metadata;
    yield* this.#collect(run.add(frame));
  }

  *#endRun(): Generator<Tensor> {
    const run = this.#run;
    if (run === undefined) return;
    yield* this.#collect(run.finish());
    this.#run = undefined;
    const { topDb, framesPerTensor } = this.options;
    if (topDb !== undefined) raise(this.#waiting, topDb);
    while (this.#waiting.length > 0) yield this.#tensor(this.#waiting.splice(0, framesPerTensor));
  }

  *#collect(frames: Iterable<MelFrame>): Generator<Tensor> {
    const { topDb, framesPerTensor } = this.options;
    for (const frame of frames) {
      this.#waiting.push(frame);
      if (topDb !== undefined) this.#checkLength();
      else if (this.#waiting.length === framesPerTensor) {
        yield this.#tensor(this.#waiting.splice(0));
      }
    }
  }

  #checkLength(): void {
    const { maxSeconds, hopLength } = this.options;
    if (this.#waiting.length * hopLength <= (maxSeconds + 1) * this.#run!.sampleRate) return;
    const rule = `with topDb the stream must not be longer than maxSeconds, ${maxSeconds}`;
    const value = this.#waiting.length * hopLength / this.#run!.sampleRate;
    throw new RangeError(cannot("extract features", { rule, value }));
  }

  #startRun({ sampleRate, channels }: { sampleRate: number; channels: number }): FeatureRun {
    const { nFft, winLength = nFft, fMin, fMax = sampleRate / 2 } = this.options;
    if (fMax > sampleRate / 2 || fMin >= fMax) {
      const rule = `fMin must be below fMax, and fMax at most half the sample rate, ${
        sampleRate / 2
      } Hz`;
      throw new RangeError(cannot("extract features", { rule, value: `${fMin} to ${fMax} Hz` }));
    }
    return new FeatureRun({ sampleRate, channels }, { ...this.options, winLength, fMin, fMax });
  }

  #tensor(frames: MelFrame[]): Tensor {
    const { nMels, nMfcc, feature } = this.options;
    const size = feature === "mfcc" ? nMfcc : nMels;
    const data = new Float32Array(frames.length * size);
    for (const [index, { bands }] of frames.entries()) {
      data.set(this.#coefficients(bands), index * size);
    }
    const { timestamp } = frames[0]!;
    return new Tensor({ data, dims: [frames.length, size], timestamp, metadata: this.#metadata });
  }

  readonly #coefficients = coefficients(this.options);
}

/** State of an extractor, structured-clonable. */
interface ExtractorState {
  run: FeatureRunState | null;
  waiting: MelFrame[];
  metadata: AudioFrame["metadata"];
}

/** Raises what is too far below the loudest. */
function raise(frames: MelFrame[], topDb: number): void {
  let loudest = -Infinity;
  for (const { bands } of frames) for (const band of bands) loudest = Math.max(loudest, band);
  for (const frame of frames) {
    frame.bands = frame.bands.map((band) => Math.max(band, loudest - topDb));
  }
}

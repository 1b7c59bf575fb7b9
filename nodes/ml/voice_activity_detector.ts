import { z, type ZodType } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import { requireAudio } from "../audio/_frames.ts";
import { goesOn, outputOf } from "../audio/_run.ts";
import { loadSpeex, type Speex } from "../audio/_speex.ts";
import { Loudness } from "./_loudness.ts";
import type { LoadedModel } from "./_onnx_session.ts";
import type { Lease } from "./_shared.ts";
import { acquireSileroBatcher, loadSilero, Silero, type SileroBatcher } from "./_silero.ts";
import { MODEL_RATE, type SpeechModel, WINDOW } from "./_speech_model.ts";
import type { SpeechSegment } from "./_speech_outputs.ts";
import { SpeechRun, type SpeechRunState } from "./_speech_run.ts";
import type { SegmentRules } from "./_speech_segments.ts";

export type { SpeechSegment } from "./_speech_outputs.ts";

/** What a {@linkcode VoiceActivityDetector} gives, by its option `emit`. */
export interface VadOutput {
  /** Each segment of speech, when it has ended. */
  segments: SpeechSegment;
  /** The frames' samples that are speech, with `metadata.segment`: the number of the segment, from 0. */
  speech: AudioFrame;
  /** Every frame, with `metadata.speech` (boolean) and `metadata.probability` (0 to 1). */
  annotate: AudioFrame;
}

/** What a {@linkcode VoiceActivityDetector} can give. */
export type VadEmit = keyof VadOutput;

/** Options of {@linkcode VoiceActivityDetector}, completed. */
export interface VadOptions {
  /** What tells speech: Silero's network, or the level alone. @default "silero" */
  engine: "silero" | "energy";
  /** Probability from which on a window of 32 ms is speech. For `energy`, 0.5 is -40 dBFS. @default 0.5 */
  threshold: number;
  /** Probability below which a window is silence. @default threshold - 0.15, at least 0.01 */
  negativeThreshold?: number;
  /** Speech that is not longer is dropped, in ms. @default 250 */
  minSpeechMs: number;
  /** Silence that is shorter does not end a segment, in ms. @default 100 */
  minSilenceMs: number;
  /** Added at both ends of each segment, in ms. @default 30 */
  speechPadMs: number;
  /** Longer segments are cut: at their last longer pause, or just there; in ms. @default never */
  maxSpeechMs?: number;
  /** What to give. @default "segments" */
  emit: VadEmit;
  /** The most streams whose windows the network judges in one run; 1 is each on its own. @default 32 */
  maxBatch: number;
  /** How long a window waits for those of other streams while the network is idle, in ms. @default 0 */
  maxWaitMs: number;
}

/** Options of {@linkcode VoiceActivityDetector}, as one writes them. */
export type VadInput<E extends VadEmit = VadEmit> = Partial<Omit<VadOptions, "emit">> & {
  /** What to give. @default "segments" */
  emit?: E;
};

/** Of speech that is too long, the last pause longer than this is where it is cut; Silero's value. */
const CUT_PAUSE_MS = 98;

/** How long the end of speech may stay in doubt. */
const DOUBT_MS = 1000;

const ms = () => z.number().min(0).max(3_600_000);
const probability = () => z.number().min(0).max(1);

const schema = z.strictObject({
  engine: z.enum(["silero", "energy"]).default("silero")
    .describe("What tells speech: Silero's network, or the level alone"),
  threshold: probability().default(0.5)
    .describe("Probability from which on 32 ms are speech; for energy, 0.5 is -40 dBFS"),
  negativeThreshold: probability().optional()
    .describe("Probability below which 32 ms are silence; threshold - 0.15 if absent"),
  minSpeechMs: ms().default(250).describe("Speech that is not longer is dropped, in ms"),
  minSilenceMs: ms().default(100)
    .describe("Silence that is shorter does not end a segment, in ms"),
  speechPadMs: ms().default(30).describe("Added at both ends of each segment, in ms"),
  maxSpeechMs: z.number().min(100).max(3_600_000).optional()
    .describe("Longer segments are cut, at their last longer pause if there is one, in ms"),
  emit: z.enum(["segments", "speech", "annotate"]).default("segments")
    .describe("Each segment's times, the samples that are speech, or every frame with a note"),
  maxBatch: z.int().min(1).max(1024).default(32).describe(
    "The most streams whose windows the network judges in one run; 1 is each on its own",
  ),
  maxWaitMs: z.number().min(0).max(1000).default(0).describe(
    "How long a window waits for those of other streams while the network is idle, in ms",
  ),
}).refine(({ threshold, negativeThreshold = 0 }) => negativeThreshold <= threshold, {
  path: ["negativeThreshold"],
  error: "it must not be above threshold",
});

/**
 * Finds speech. Takes frames of any size, rate and number of channels (hears their mean at 16 kHz), and goes by
 * windows of 32 ms. Segments follow Silero's own `get_speech_timestamps`, but are told as soon as they are sure.
 *
 * `engine: "silero"` is Silero VAD 6, run by onnxruntime; all detectors of a process share one session, loaded
 * and warm before the first frame. It is not fooled by tones and noise. `engine: "energy"` goes by a fixed level
 * (0 at -60 dBFS to 1 at -20 dBFS): whatever is loud is speech for as long as it lasts.
 *
 * Detectors with the same `maxBatch` and `maxWaitMs` share runs of the network: while one runs, the windows of other
 * streams gather for the next, at most one of each stream. So 64 streams take less than half the time of 64 on
 * their own, and a lone stream none more; what is heard is the same to the bit.
 *
 * By `emit` it gives segments, the samples that are speech (as they came in), or every frame with a note: `speech`
 * is whether any of the frame is in a segment, padding included, `probability` the highest of the windows heard
 * in it. All three agree. What is given comes late by what has to be heard to be sure: while it is silent
 * `speechPadMs` and a window; otherwise at most `2 × speechPadMs + minSpeechMs + minSilenceMs` and four windows,
 * 538 ms by default, and 1 s more where the model stays in doubt (after silence, between both thresholds); or
 * `maxSpeechMs` where given. Frames are held no longer than that, and given whole.
 *
 * Where the format changes, or the timestamp jumps by more than 40 ms, speech ends, and listening starts
 * anew at the new time. So it does after an interrupt. The last segment comes at the end of the stream.
 *
 * A sample that is NaN or infinite fails the stream, for the model would not recover.
 *
 * @typeParam E what it gives
 *
 * @example
 * ```ts
 * import { VoiceActivityDetector } from "@remotemedia/sdk/nodes";
 * import { speech } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(await speech());
 * for await (const { start, end } of source.pipeThrough(new VoiceActivityDetector())) {
 *   console.log(`${start / 1e6} s to ${end / 1e6} s`); // 1.25 s to 3.902 s …
 * }
 * ```
 */
export class VoiceActivityDetector<E extends VadEmit = "segments">
  extends Node<AudioFrame, VadOutput[E], VadOptions, VadInput<E>> {
  /** Checks the options. */
  static override readonly options: ZodType<VadOptions> = schema;

  /** What it takes and gives, checked before anything runs. */
  static formats({ emit }: VadOptions): NodeFormats {
    const accepts: NodeFormats["accepts"] = { kinds: ["audio"] };
    return emit === "segments"
      ? { accepts, gives: { kinds: ["object"] } }
      : { accepts, gives: { kinds: ["audio"] }, passes: true };
  }

  #speex: Speex | undefined;
  #silero: LoadedModel | undefined;
  #batcher: Lease<SileroBatcher> | undefined;
  #run: SpeechRun<VadOutput[E]> | undefined;
  /** Segments that earlier runs gave. */
  #segments = 0;

  /** Loads the model and warms it. */
  override async open(): Promise<void> {
    this.#speex = await loadSpeex();
    if (this.options.engine !== "silero") return;
    this.#silero = await loadSilero();
    if (this.options.maxBatch > 1) this.#batcher = await acquireSileroBatcher(this.options);
  }

  /** Takes a frame; waits for the model only if the frame may complete a window. */
  override process(chunk: AudioFrame): NodeOutput<VadOutput[E]> {
    const frame = requireAudio(this, chunk);
    const run = this.#run;
    if (run === undefined || !goesOn(run, frame)) return this.#hear(frame);
    const windows = run.windowsOf(frame);
    if (windows > 1) return this.#hear(frame);
    run.add(frame);
    const samples = run.input.push(frame);
    const taken = run.fill(samples, 0);
    if (run.isFull) return this.#judgeOne(run, samples.subarray(taken));
  }

  /** Gives what the end of the stream makes known. */
  override flush(): NodeOutput<VadOutput[E]> {
    return this.#end();
  }

  /** Forgets what was heard. */
  override onInterrupt(): void {
    this.#run?.input[Symbol.dispose]();
    this.#run = undefined;
  }

  /** Frees what it holds; the model stays for others. */
  override async close(): Promise<void> {
    this.onInterrupt();
    await this.#batcher?.release();
  }

  /** What was heard and is not yet told. */
  override snapshot(): unknown {
    const segments = this.#run?.count ?? this.#segments;
    return { segments, run: this.#run?.snapshot() ?? null } satisfies DetectorState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.onInterrupt();
    const { segments, run } = state as DetectorState;
    this.#segments = segments;
    if (run === null) return;
    this.#run = this.#begin(run);
    this.#run.restore(run);
  }

  /** Judges the one window that a short frame completes: the common case, without generators. */
  async #judgeOne(
    run: SpeechRun<VadOutput[E]>,
    rest: Float32Array,
  ): Promise<Outputs<VadOutput[E]>> {
    const probability = await run.model.run();
    if (run !== this.#run) return; // interrupted while the model ran
    const outputs = run.judge(probability);
    run.fill(rest, 0);
    return outputOf(outputs);
  }

  /** Hears a frame of any length. */
  async *#hear(frame: AudioFrame): AsyncGenerator<VadOutput[E], void> {
    if (!goesOn(this.#run, frame) && !(yield* this.#end())) return;
    const { sampleRate, numberOfChannels: channels } = frame;
    const run = this.#run ??= this.#begin({ sampleRate, channels });
    run.add(frame);
    for (const samples of run.input.pushPieces(frame)) {
      yield* this.#listen(run, samples);
      if (run !== this.#run) return; // interrupted
    }
  }

  /** Judges the windows that the samples complete. */
  async *#listen(
    run: SpeechRun<VadOutput[E]>,
    samples: Float32Array,
  ): AsyncGenerator<VadOutput[E], void> {
    for (let taken = 0; taken < samples.length;) {
      taken += run.fill(samples, taken);
      if (!run.isFull) return;
      const probability = await run.model.run();
      if (run !== this.#run) return; // interrupted while the model ran
      for (const output of run.judge(probability)) yield output; // yield* would wait, even for nothing
      if (run !== this.#run) return;
    }
  }

  /** Ends the run, if there is one. @returns whether no interrupt came first */
  async *#end(): AsyncGenerator<VadOutput[E], boolean> {
    const run = this.#run;
    if (run === undefined) return true;
    yield* this.#listen(run, run.input.flush());
    if (run !== this.#run) return false;
    let partial: number | undefined;
    if (!run.isEmpty) {
      run.pad();
      partial = await run.model.run();
      if (run !== this.#run) return false;
    }
    const rest = run.finish(partial);
    this.#segments = run.count;
    this.onInterrupt();
    yield* rest;
    return true;
  }

  #begin(
    { sampleRate, channels }: { sampleRate: number; channels: number },
  ): SpeechRun<VadOutput[E]> {
    return new SpeechRun(this.#speex!, this.#model(), {
      sampleRate,
      channels,
      emit: this.options.emit,
      count: this.#segments,
      rules: rulesOf(this.options),
    });
  }

  #model(): SpeechModel {
    if (this.#silero === undefined) return new Loudness();
    return new Silero(this.#silero, this.#batcher?.value);
  }
}

/** No, one or several outputs. */
type Outputs<O> = ReturnType<typeof outputOf<O>>;

/** State of a detector, structured-clonable. */
interface DetectorState {
  segments: number;
  run: SpeechRunState | null;
}

/** The options' times as samples of the model. */
function rulesOf(options: VadOptions): SegmentRules {
  const { threshold, negativeThreshold, minSpeechMs, minSilenceMs, speechPadMs, maxSpeechMs } =
    options;
  const samples = (time: number) => Math.round(time * MODEL_RATE / 1000);
  const pad = samples(speechPadMs);
  return {
    windowSize: WINDOW,
    threshold,
    negativeThreshold: negativeThreshold ?? Math.max(threshold - 0.15, Math.min(threshold, 0.01)),
    minSpeech: samples(minSpeechMs),
    minSilence: samples(minSilenceMs),
    pad,
    // as in Silero's algorithm: a cut segment with its padding and the window that is too much stays below it
    maxSpeech: maxSpeechMs === undefined
      ? Infinity
      : Math.max(WINDOW, samples(maxSpeechMs) - WINDOW - 2 * pad),
    cutPause: samples(CUT_PAUSE_MS),
    doubt: samples(DOUBT_MS),
  };
}

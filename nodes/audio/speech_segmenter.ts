import { z } from "zod";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node, type NodeContext, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { VoiceActivityDetector } from "../ml/voice_activity_detector.ts";
import { isSpeech } from "./_annotated.ts";
import { requireAudio } from "./_frames.ts";
import { goesOn, outputOf } from "./_run.ts";
import { type UtteranceEnd, Utterances, type UtterancesState } from "./_utterances.ts";

/** Options of {@linkcode SpeechSegmenter}. */
export interface SpeechSegmenterOptions {
  /** What tells speech: a VoiceActivityDetector in front, or one inside. @default "annotated" */
  engine: "annotated" | "silero" | "energy";
  /** With an engine inside: the probability from which on 32 ms are speech. @default 0.5 */
  threshold: number;
  /** Given of what was heard before speech began, in ms. @default 200 */
  preRollMs: number;
  /** Silence that ends a segment, and is given with it, in ms. @default 500 */
  hangOverMs: number;
  /** A segment with less speech is dropped, in ms. @default 250 */
  minSpeechMs: number;
  /** A longer segment is cut, in ms. @default 30000 */
  maxLengthMs: number;
}

const schema = z.strictObject({
  engine: z.enum(["annotated", "silero", "energy"]).default("annotated")
    .describe("What tells speech: a VoiceActivityDetector in front (annotated), or one inside"),
  threshold: z.number().min(0).max(1).default(0.5)
    .describe("With an engine inside: the probability from which on 32 ms are speech"),
  preRollMs: z.number().min(0).max(10_000).default(200)
    .describe("Given of what was heard before speech began, in ms"),
  hangOverMs: z.number().min(0).max(60_000).default(500)
    .describe("Silence that ends a segment, and is given with it, in ms"),
  minSpeechMs: z.number().min(0).max(60_000).default(250)
    .describe("A segment with less speech is dropped, in ms"),
  maxLengthMs: z.number().min(100).max(600_000).default(30_000)
    .describe("A longer segment is cut, in ms"),
}).refine(({ preRollMs, maxLengthMs }) => preRollMs < maxLengthMs, {
  path: ["preRollMs"],
  error: "it must be below maxLengthMs",
});

/**
 * Gives each stretch of speech as one frame, for a recognizer: with `preRollMs` before it, with the pauses in it, and
 * with the `hangOverMs` of silence that ended it. `metadata` is that of the frame with which speech began, and
 * `segment` (its number, from 0) and `reason` beside: why it ended, `silence`, `max-length`, `end` (of the stream)
 * or `break` (change of format, jump in time of more than 40 ms).
 *
 * Whether a frame is speech says `metadata.speech`, of a `VoiceActivityDetector` with `emit: "annotate"` in front; or
 * one inside, by `engine: "silero"` or `"energy"`, without padding of its own. The audio keeps its rate and
 * channels. A segment begins and ends with whole frames of that, so short ones are more exact. What is longer than
 * `maxLengthMs` is cut without a gap, and the rest is a segment however short. Memory is bounded by
 * `maxLengthMs`. The last segment comes at the end of the stream; an interrupt forgets it.
 *
 * With `annotated`, a frame without `metadata.speech` fails the stream, and NaN passes; with an engine inside,
 * NaN and Infinity fail it. Empty frames vanish.
 *
 * @example
 * ```ts
 * import { SpeechSegmenter } from "@remotemedia/sdk/nodes";
 * import { silence, sine } from "@remotemedia/sdk/testing";
 *
 * const frames = [...silence(), ...sine({ timestamp: 1e6 }), ...silence({ timestamp: 2e6 })];
 * const segmenter = new SpeechSegmenter({ engine: "energy" });
 * for await (const { timestamp, duration } of ReadableStream.from(frames).pipeThrough(segmenter)) {
 *   console.log(timestamp, duration); // about 0.8 s and 1.7 s
 * }
 * ```
 */
export class SpeechSegmenter extends Node<AudioFrame, AudioFrame, SpeechSegmenterOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  readonly #detector: VoiceActivityDetector<"annotate"> | undefined = detectorOf(this.options);
  #run: Utterances | undefined;
  #segments = 0;

  /** Opens the engine inside, if there is one. */
  override async open(_context: NodeContext): Promise<void> {
    await this.#detector?.open();
  }

  /** Takes a frame; gives the segments that have ended. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    if (frame.numberOfFrames === 0) return;
    if (this.#detector === undefined) return outputOf(this.#take(frame));
    return this.#listen(this.#detector.process(frame));
  }

  /** Gives the last segment. */
  override flush(): NodeOutput<AudioFrame> {
    if (this.#detector === undefined) return outputOf(this.#endRun("end"));
    return this.#finish(this.#detector.flush());
  }

  /** Forgets what was heard. */
  override onInterrupt(): void {
    this.#detector?.onInterrupt();
    this.#run = undefined;
  }

  /** Frees the engine inside. */
  override close(): void {
    this.#detector?.close();
  }

  /** What was heard and is not yet given. */
  override snapshot(): unknown {
    return {
      segments: this.#segments,
      run: this.#run?.snapshot() ?? null,
      detector: this.#detector?.snapshot(),
    } satisfies SegmenterState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { segments, run, detector } = state as SegmenterState;
    this.#segments = segments;
    this.#run = undefined;
    if (run !== null) {
      this.#run = new Utterances(run, this.options);
      this.#run.restore(run);
    }
    if (detector !== undefined) this.#detector?.restore(detector);
  }

  async *#listen(frames: NodeOutput<AudioFrame>): AsyncGenerator<AudioFrame> {
    for await (const frame of framesOf(frames)) yield* this.#take(frame);
  }

  async *#finish(frames: NodeOutput<AudioFrame>): AsyncGenerator<AudioFrame> {
    yield* this.#listen(frames);
    yield* this.#endRun("end");
  }

  #take(frame: AudioFrame): AudioFrame[] {
    const speaks = isSpeech(this, frame);
    const segments = goesOn(this.#run, frame) ? [] : this.#endRun("break");
    const { sampleRate, numberOfChannels: channels } = frame;
    this.#run ??= new Utterances({ sampleRate, channels }, this.options);
    segments.push(...this.#numbered(this.#run.add(frame, speaks)));
    return segments;
  }

  #endRun(reason: UtteranceEnd): AudioFrame[] {
    const segments = this.#run?.finish(reason) ?? [];
    this.#run = undefined;
    return this.#numbered(segments);
  }

  #numbered(segments: AudioFrame[]): AudioFrame[] {
    return segments.map((frame) =>
      frame.with({ metadata: { ...frame.metadata, segment: this.#segments++ } })
    );
  }
}

/** State of a segmenter, structured-clonable. */
interface SegmenterState {
  segments: number;
  run: UtterancesState | null;
  detector: unknown;
}

function detectorOf(
  { engine, threshold }: SpeechSegmenterOptions,
): VoiceActivityDetector<"annotate"> | undefined {
  if (engine === "annotated") return;
  return new VoiceActivityDetector({
    engine,
    threshold,
    minSpeechMs: 0,
    minSilenceMs: 0,
    speechPadMs: 0,
    emit: "annotate",
  });
}

/** The frames of whatever form a node's method gives them in. */
async function* framesOf(output: NodeOutput<AudioFrame>): AsyncGenerator<AudioFrame> {
  const given = await output;
  if (given === undefined || given instanceof AudioFrame) {
    if (given !== undefined) yield given;
    return;
  }
  const frames = given as Iterator<AudioFrame> | AsyncIterator<AudioFrame>;
  for (let step; !(step = await frames.next()).done;) yield step.value;
}

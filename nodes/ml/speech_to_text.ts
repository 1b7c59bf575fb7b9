import { z } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node } from "../../core/node.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireAudio } from "../audio/_frames.ts";
import { goesOn } from "../audio/_run.ts";
import { loadSpeex, type Speex } from "../audio/_speex.ts";
import type { HeardWord } from "./_hypotheses.ts";
import { pipelineOptions } from "./_pipeline_options.ts";
import type { Lease } from "./_shared.ts";
import { MODEL_RATE } from "./_speech_model.ts";
import { SpeechWindow } from "./_speech_window.ts";
import { acquirePipeline, type LoadedPipeline, type PipelineOptions } from "./_transformers.ts";

const schema = z.strictObject({
  ...pipelineOptions,
  mode: z.enum(["stream", "utterances"]).default("stream").describe(
    "Whether the frames are one stream of sound, or each is an utterance, as SpeechSegmenter gives them",
  ),
  stepMs: z.int().min(100).max(30_000).default(1000)
    .describe("How much new sound the model hears at a time, in ms"),
  windowMs: z.int().min(1000).max(30_000).default(15_000)
    .describe("The most sound that it hears at once, in ms"),
  overlapMs: z.int().min(0).max(5000).default(1000).describe(
    "How much of a full window the next one begins with, where the model tells no times, in ms",
  ),
  wordTimes: z.boolean().default(false)
    .describe("Whether to ask the model for the times of words: Whisper exports with attentions"),
  partials: z.boolean().default(false)
    .describe("Whether words that are not final yet are given too"),
  parameters: z.record(z.string(), z.unknown()).default({})
    .describe("Options of each call of the model, such as language"),
}).refine(({ stepMs, overlapMs, windowMs }) => stepMs + overlapMs <= windowMs, {
  path: ["windowMs"],
  error: "it must not be below stepMs and overlapMs together",
});

/** Options of {@linkcode SpeechToText}. */
export interface SpeechToTextOptions extends PipelineOptions {
  /** Whether the frames are one stream of sound, or each is an utterance. @default "stream" */
  mode: "stream" | "utterances";
  /** How much new sound the model hears at a time, in ms. @default 1000 */
  stepMs: number;
  /** The most sound that it hears at once, in ms. @default 15000 */
  windowMs: number;
  /** How much of a full window the next one begins with, where the model tells no times, in ms. @default 1000 */
  overlapMs: number;
  /** Whether to ask the model for the times of words. @default false */
  wordTimes: boolean;
  /** Whether words that are not final yet are given too. @default false */
  partials: boolean;
  /** Options of each call of the model, such as `language`. @default {} */
  parameters: Record<string, unknown>;
}

/** {@linkcode SpeechToTextOptions} as one writes them. */
export type SpeechToTextInput =
  & Partial<SpeechToTextOptions>
  & Pick<SpeechToTextOptions, "model">;

/** A word with its time. */
export interface TranscriptWord {
  /** The word, as written. */
  text: string;
  /** When it begins, in µs. */
  start: number;
  /** When it ends, in µs. */
  end: number;
}

/** Words that were heard. */
export interface Transcript {
  /** The words. */
  text: string;
  /** When the first begins, in µs; where the model tells no times, when the sound begins in which they are. */
  start: number;
  /** When the last ends, in µs; where the model tells no times, when the sound ends in which they are. */
  end: number;
  /** Whether they stay; words that are not final are replaced by those of the next transcript. */
  final: boolean;
  /** The words with their times, where the model tells them. */
  words?: TranscriptWord[];
}

/** Below this level nothing is heard: models invent words in silence. In dBFS. */
const SILENCE_DB = -60;

/**
 * Writes down speech with a model for transformers.js: Whisper, Moonshine, wav2vec2. Takes audio of any rate and
 * number of channels (hears their mean at 16 kHz), gives a {@linkcode Transcript} whenever words are final.
 *
 * As a stream, the model hears a window that grows by `stepMs`. A word is final once two hypotheses in a row agree on
 * it and on all before (LocalAgreement-2, Macháček, Dabre, Bojar 2023), so about two steps after it was said. A
 * window that is full goes on behind the last final word where the model tells times (`wordTimes`); otherwise
 * its words become final up to the middle of its last `overlapMs`, with which the next begins: those that come again
 * are found as the longest common run of words and not given twice. This needs a language that puts spaces between words. Where the format changes
 * or time jumps, and at the end of the stream, all is final. As utterances, each frame is heard on its own.
 *
 * Tested with OpenAI's Whisper tiny.en (`tests/soak/whisper_soak.ts`: 20.9 s of read speech, 44 words, word error rate
 * 0.00 with windows of 9 s, 0.09 by utterances). No trained Moonshine was to be had where it was tested, and no
 * Whisper export with attentions, which `wordTimes` needs.
 *
 * A window below -60 dBFS is not heard. At most `windowMs` of sound is held. An interrupt forgets it. Throws a
 * `TypeError` on what is no audio, a `RangeError` on a sample that is NaN or infinite, and as
 * {@linkcode TransformersPipeline} does where the model cannot be loaded. It reads and writes files and reaches the
 * hub: a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { SpeechToText, TextToSpeech } from "@remotemedia/sdk/nodes";
 *
 * // models whose weights are set by hand: each letter is a tone, and each tone a letter
 * const modelFolder = new URL("../../tests/testdata/models", import.meta.url).pathname;
 * const from = { modelFolder, offline: true };
 * const said = ReadableStream.from(["what is said is heard."])
 *   .pipeThrough(new TextToSpeech({ model: "tiny/voice", ...from }))
 *   .pipeThrough(new SpeechToText({ model: "tiny/ear", ...from }));
 * for await (const { text } of said) console.log(text); // "what is said is heard" in one piece or more
 * ```
 */
export class SpeechToText
  extends Node<AudioFrame, Transcript, SpeechToTextOptions, SpeechToTextInput> {
  /** The name of the type. */
  static override readonly type = "SpeechToText";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** It reads models, fetches and keeps them: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["read", "write", "net"];

  /** What it takes and gives, checked before anything runs. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["audio"] }, gives: { kinds: ["object"] } };
  }

  #lease: Lease<LoadedPipeline> | undefined;
  #speex: Speex | undefined;
  #window: SpeechWindow | undefined;

  /** Loads the model, unless others did. */
  override async open(): Promise<void> {
    this.#speex = await loadSpeex();
    this.#lease = await acquirePipeline({
      ...this.options,
      task: "automatic-speech-recognition",
    });
  }

  /** Gives the words that the frame makes final. */
  async *process(chunk: AudioFrame): AsyncGenerator<Transcript, void> {
    const frame = requireAudio(this, chunk);
    const isUtterance = this.options.mode === "utterances";
    if ((isUtterance || !goesOn(this.#window, frame)) && !(yield* this.#end())) return;
    const window = this.#window ??= this.#begin(frame);
    window.timeline.add(frame.timestamp, frame.numberOfFrames);
    for (const samples of window.input.pushPieces(frame)) {
      yield* this.#listen(window, samples);
      if (window !== this.#window) return; // interrupted
    }
    if (isUtterance) yield* this.#end();
  }

  /** Gives the words that are left. */
  override async *flush(): AsyncGenerator<Transcript, void> {
    yield* this.#end();
  }

  /** Forgets what was heard. */
  override onInterrupt(): void {
    this.#window?.input[Symbol.dispose]();
    this.#window = undefined;
  }

  /** Lets go of the model. */
  override async close(): Promise<void> {
    this.onInterrupt();
    await this.#lease?.release();
  }

  #begin(frame: AudioFrame): SpeechWindow {
    const { windowMs } = this.options;
    return new SpeechWindow(this.#speex!, frame, samplesOf(windowMs));
  }

  /** Puts samples into the window, and hears it at each step. */
  async *#listen(
    window: SpeechWindow,
    samples: Float32Array,
  ): AsyncGenerator<Transcript, void> {
    const step = samplesOf(this.options.stepMs);
    const capacity = samplesOf(this.options.windowMs);
    const isStream = this.options.mode === "stream";
    for (let taken = 0; taken < samples.length;) {
      taken += window.fill(samples, taken, isStream ? step - window.news : Infinity);
      const isFull = window.length >= capacity;
      if (!isFull && !(isStream && window.news >= step)) continue;
      yield* this.#hear(window, isFull);
      if (window !== this.#window) return;
    }
  }

  /** One hypothesis for the window, and the next window if it is full. */
  async *#hear(window: SpeechWindow, isFull: boolean): AsyncGenerator<Transcript, void> {
    const { stitcher } = window;
    const { words: hypothesis, heardTo } = await this.#transcribe(window);
    if (window !== this.#window) return; // interrupted while the model ran
    window.heard();
    const words = stitcher.push(hypothesis);
    if (!isFull) return yield* this.#tell(window, words);
    const { end } = stitcher.last ?? {};
    const behind = end === undefined ? 0 : window.lengthBefore(end);
    if (behind >= samplesOf(this.options.stepMs)) {
      yield* this.#tell(window, words);
      window.dropTo(behind);
      stitcher.moveToLast();
      return;
    }
    const kept = samplesOf(this.options.overlapMs);
    const unheard = window.length - window.lengthBefore(heardTo);
    if (unheard > kept && window.length - unheard >= samplesOf(this.options.stepMs)) {
      // the model stopped before the window's end, at a pause: the rest belongs to the next window
      words.push(...stitcher.finish(hypothesis));
      yield* this.#tell(window, words);
      window.dropTo(window.length - unheard);
      stitcher.moveToLast();
      return;
    }
    words.push(...stitcher.advance(hypothesis, kept / window.length));
    yield* this.#tell(window, words);
    window.dropTo(window.length - kept);
  }

  /** Ends the run, if there is one: all is final. @returns whether no interrupt came first */
  async *#end(): AsyncGenerator<Transcript, boolean> {
    const window = this.#window;
    if (window === undefined) return true;
    yield* this.#listen(window, window.input.flush());
    if (window !== this.#window) return false;
    if (window.news > 0) {
      const { words } = await this.#transcribe(window);
      if (window !== this.#window) return false;
      yield* this.#tell(window, window.stitcher.finish(words));
    } else {
      yield* this.#tell(window, [...window.stitcher.pending]);
    }
    this.onInterrupt();
    return true;
  }

  async #transcribe(window: SpeechWindow): Promise<Hypothesis> {
    const { samples } = window;
    if (isSilent(samples)) return { words: [], heardTo: window.end };
    const pipeline = this.#lease!.value;
    const { wordTimes, parameters } = this.options;
    // Whisper's times of sentences tell how far it has heard: without them it may stop at a pause
    const isWhisper = `${pipeline.config["model_type"]}`.includes("whisper");
    const times = wordTimes ? "word" : isWhisper;
    const options = times === false ? parameters : { return_timestamps: times, ...parameters };
    return hypothesisOf(await pipeline.call(samples, options), { window, wordTimes });
  }

  *#tell(window: SpeechWindow, words: readonly HeardWord[]): Generator<Transcript> {
    const final = transcriptOf(words, window, true);
    if (final !== undefined) yield final;
    const partial = this.options.partials
      ? transcriptOf(window.stitcher.pending, window, false)
      : undefined;
    if (partial !== undefined) yield partial;
  }
}

function samplesOf(ms: number): number {
  return ms * MODEL_RATE / 1000;
}

function isSilent(samples: Float32Array): boolean {
  const limit = 10 ** (SILENCE_DB / 20);
  return samples.every((sample) => Math.abs(sample) < limit);
}

/** What a model makes of a window. */
interface Hypothesis {
  words: HeardWord[];
  /** Until when it has heard, in µs. */
  heardTo: number;
}

/** The words of what a pipeline gives, with times as µs of the stream. */
function hypothesisOf(
  output: unknown,
  { window, wordTimes }: { window: SpeechWindow; wordTimes: boolean },
): Hypothesis {
  const { text = "", chunks } = output as {
    text?: string;
    chunks?: { text: string; timestamp: [number, number | null] }[];
  };
  const { length } = window;
  const timeOf = (seconds: number | null | undefined) =>
    window.timeAt(seconds == null ? length : Math.min(seconds * MODEL_RATE, length));
  const heardTo = timeOf(chunks?.at(-1)?.timestamp[1]);
  if (chunks === undefined || !wordTimes) {
    return { words: (text.match(/\s*\S+/g) ?? []).map((word) => ({ text: word })), heardTo };
  }
  const words = chunks.map(({ text, timestamp: [from, to] }) => ({
    text,
    start: timeOf(from),
    end: timeOf(to),
  }));
  return { words, heardTo };
}

function transcriptOf(
  words: readonly HeardWord[],
  window: SpeechWindow,
  final: boolean,
): Transcript | undefined {
  const text = words.map((word) => /^\s/.test(word.text) ? word.text : ` ${word.text}`).join("")
    .trim();
  if (text === "") return undefined;
  const { start = window.start } = words[0]!;
  const { end = window.end } = words.at(-1)!;
  const timed = words.filter((word): word is TranscriptWord => word.end !== undefined);
  if (timed.length < words.length) return { text, start, end, final };
  const trimmed = timed.map(({ text, start, end }) => ({ text: text.trim(), start, end }));
  return { text, start, end, final, words: trimmed };
}

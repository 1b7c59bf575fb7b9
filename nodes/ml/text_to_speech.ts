import { z } from "zod";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { SentenceAggregator } from "../text/sentence_aggregator.ts";
import { pipelineOptions } from "./_pipeline_options.ts";
import { fromPipeline } from "./_pipeline_values.ts";
import type { Lease } from "./_shared.ts";
import { acquirePipeline, type LoadedPipeline, type PipelineOptions } from "./_transformers.ts";

const schema = z.strictObject({
  ...pipelineOptions,
  split: z.enum(["sentences", "chunks"]).default("sentences").describe(
    "What is spoken at once: a sentence, however the text comes in pieces, or each chunk as it is",
  ),
  frameMs: z.int().min(1).max(10_000).default(20).describe("How long the frames are, in ms"),
  parameters: z.record(z.string(), z.unknown()).default({})
    .describe("Options of each call of the model, such as speaker_embeddings"),
});

/** Options of {@linkcode TextToSpeech}. */
export interface TextToSpeechOptions extends PipelineOptions {
  /** What is spoken at once: a sentence, however the text comes, or each chunk as it is. @default "sentences" */
  split: "sentences" | "chunks";
  /** How long the frames are, in ms. @default 20 */
  frameMs: number;
  /** Options of each call of the model, such as `speaker_embeddings`. @default {} */
  parameters: Record<string, unknown>;
}

/** {@linkcode TextToSpeechOptions} as one writes them. */
export type TextToSpeechInput =
  & Partial<TextToSpeechOptions>
  & Pick<TextToSpeechOptions, "model">;

/**
 * Speaks text with a model for transformers.js that makes sound of text, such as VITS (MMS). Takes text in pieces of
 * any size, as a language model gives it, and speaks sentence by sentence: frames of `frameMs` (the last of a sentence
 * may be shorter), mono at the model's rate, one behind the other from 0 µs on, with `metadata.text`, the sentence,
 * and `metadata.sentence`, its number from 0.
 *
 * An interrupt drops the sentence that is spoken and what is kept back; a run of the model cannot be ended, but what it
 * gives is dropped. Time goes on from what was given. It keeps at most 2000 characters and one sentence's sound.
 * Tested with a model in VITS' form whose weights are set by hand; no trained voice was to be had. SpeechT5 is refused, for it would load a vocoder that nobody named. Throws a `TypeError` on what is no text. It reads
 * and writes files and reaches the hub: a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { TextToSpeech } from "@remotemedia/sdk/nodes";
 *
 * // a voice whose weights are set by hand: each letter is a tone of 62.5 ms
 * const modelFolder = new URL("../../tests/testdata/models", import.meta.url).pathname;
 * const voice = new TextToSpeech({ model: "tiny/voice", modelFolder, offline: true });
 * const frames = await Array.fromAsync(ReadableStream.from(["One. T", "wo."]).pipeThrough(voice));
 * console.log(frames.at(-1)!.metadata); // { text: "Two.", sentence: 1 }
 * ```
 */
export class TextToSpeech extends Node<string, AudioFrame, TextToSpeechOptions, TextToSpeechInput> {
  /** The name of the type. */
  static override readonly type = "TextToSpeech";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** It reads models, fetches and keeps them: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["read", "write", "net"];

  /** What it takes and gives, checked before anything runs. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["text"] }, gives: { kinds: ["audio"] } };
  }

  readonly #sentences = new SentenceAggregator();
  #lease: Lease<LoadedPipeline> | undefined;
  /** When the next frame begins, in µs. */
  #timestamp = 0;
  #sentence = 0;
  #interrupts = 0;

  /** Loads the model, unless others did. */
  override async open(): Promise<void> {
    this.#lease = await acquirePipeline({ ...this.options, task: "text-to-speech" });
  }

  /** Speaks the sentences that the text completes. */
  async *process(text: string): AsyncGenerator<AudioFrame, void> {
    if (typeof text !== "string") throw wrongInput(this.type, "text", text);
    const interrupts = this.#interrupts;
    const parts = this.options.split === "chunks" ? [text] : this.#sentences.process(text);
    for (const part of parts) {
      yield* this.#speak(part);
      if (interrupts !== this.#interrupts) return;
    }
  }

  /** Speaks what is left. */
  override async *flush(): AsyncGenerator<AudioFrame, void> {
    for (const sentence of this.#sentences.flush()) yield* this.#speak(sentence);
  }

  /** Forgets what is kept back, and stops speaking. */
  override onInterrupt(): void {
    this.#interrupts++;
    this.#sentences.onInterrupt();
  }

  /** The text that is kept back, and where it is in time. */
  override snapshot(): unknown {
    const text = this.#sentences.snapshot();
    return { text, timestamp: this.#timestamp, sentence: this.#sentence } satisfies SpokenState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { text, timestamp, sentence } = state as SpokenState;
    this.#sentences.restore(text);
    this.#timestamp = timestamp;
    this.#sentence = sentence;
  }

  /** Lets go of the model. */
  override async close(): Promise<void> {
    await this.#lease?.release();
  }

  async *#speak(text: string): AsyncGenerator<AudioFrame, void> {
    if (!/[\p{L}\p{N}]/u.test(text)) return; // nothing to be said
    const interrupts = this.#interrupts;
    const pipeline = this.#lease!.value;
    const output = await pipeline.call(text, this.options.parameters);
    if (interrupts !== this.#interrupts) return;
    const metadata = { text, sentence: this.#sentence++ };
    const sound = fromPipeline(pipeline, output, { timestamp: 0, metadata }) as AudioFrame;
    const { data, sampleRate } = sound;
    const size = Math.max(1, Math.round(this.options.frameMs * sampleRate / 1000));
    const start = this.#timestamp;
    for (let at = 0; at < data.length; at += size) {
      const part = data.slice(at, at + size);
      const timestamp = start + Math.round(at * 1e6 / sampleRate);
      this.#timestamp = start + Math.round((at + part.length) * 1e6 / sampleRate);
      yield new AudioFrame({ data: part, sampleRate, numberOfChannels: 1, timestamp, metadata });
      if (interrupts !== this.#interrupts) return;
    }
  }
}

/** State of a {@linkcode TextToSpeech}, structured-clonable. */
interface SpokenState {
  text: string;
  timestamp: number;
  sentence: number;
}

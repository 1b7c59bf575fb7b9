import { z } from "zod";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { isSpeech } from "./_annotated.ts";
import { requireAudio } from "./_frames.ts";
import { type FrameState, frameState, outputOf } from "./_run.ts";

/** That somebody began to speak, or has said what there was to say. */
export interface TurnEvent {
  /** Which of the two. */
  type: "turn-start" | "turn-end";
  /** Counts the turns, from 0. */
  turn: number;
  /** When speech began, or ended, in µs. */
  timestamp: number;
  /** At the end: what told it, silence alone, a model, a jump back in time or the end of the stream. */
  reason?: "silence" | "model" | "break" | "end";
}

/** A turn in which there is a pause: what a model judges. */
export interface PendingTurn {
  /** Counts the turns, from 0. */
  readonly turn: number;
  /** When speech began, in µs. */
  readonly start: number;
  /** When the last speech ended, in µs. */
  readonly speechEnd: number;
  /** How long the pause is by now, in ms. */
  readonly silenceMs: number;
  /** The last `contextMs` of the turn, the pause included. */
  readonly frames: readonly AudioFrame[];
}

/** What a {@linkcode TurnDetector} gives, by its option `emit`. */
export interface TurnOutput {
  /** A start or end, when it is sure. */
  events: TurnEvent;
  /** Every frame, with `metadata.turn`: the number of the turn that goes on, or null. */
  annotate: AudioFrame;
}

/** Options of {@linkcode TurnDetector}. */
export interface TurnDetectorOptions {
  /** Speech that begins a turn, in ms, pauses left out. @default 100 */
  minSpeechMs: number;
  /** Silence that ends a turn whatever a model says, in ms. @default 800 */
  silenceMs: number;
  /** Silence from which on a model is asked, once a pause, in ms. @default 200 */
  pauseMs: number;
  /** The likelihood from which on a model ends the turn, 0 to 1. @default 0.5 */
  threshold: number;
  /** How much of the turn a model is given, in ms. @default 8000 */
  contextMs: number;
  /** What to give. @default "events" */
  emit: keyof TurnOutput;
}

/** Options of {@linkcode TurnDetector}, as one writes them. */
export type TurnDetectorInput<E extends keyof TurnOutput = keyof TurnOutput> =
  & Partial<Omit<TurnDetectorOptions, "emit">>
  & {
    /** What to give. @default "events" */
    emit?: E;
  };

const ms = () => z.number().min(0).max(60_000);

const schema = z.strictObject({
  minSpeechMs: ms().default(100).describe("Speech that begins a turn, in ms, pauses left out"),
  silenceMs: ms().default(800).describe("Silence that ends a turn whatever a model says, in ms"),
  pauseMs: ms().default(200).describe("Silence from which on a model is asked, in ms"),
  threshold: z.number().min(0).max(1).default(0.5)
    .describe("The likelihood from which on a model ends the turn"),
  contextMs: ms().default(8000).describe("How much of the turn a model is given, in ms"),
  emit: z.enum(["events", "annotate"]).default("events")
    .describe("Starts and ends of turns, or every frame with metadata.turn"),
});

/** Speech since it began: a structured-clonable value. */
interface Speech {
  /** In µs. */
  start: number;
  end: number;
  /** µs of speech, pauses left out. */
  spoken: number;
  /** Whether there was enough of it to be a turn. */
  isTurn: boolean;
  /** Whether the model was asked in this pause. */
  asked: boolean;
}

/**
 * Tells when a speaker's turn starts and ends: for agents that answer. Takes frames of a `VoiceActivityDetector`
 * with `emit: "annotate"`. A turn starts with `minSpeechMs` of speech, and ends with `silenceMs` of silence, with the
 * stream, or where the timestamp jumps back by more than 40 ms; a gap counts as silence. An interrupt
 * forgets the turn that goes on, without an event.
 *
 * For ends told by a model, extend it: `likelihood()` is asked once in each pause, after `pauseMs`, and ends the turn
 * at once where it gives `threshold` or more; `silenceMs` stays as the limit. Only then are frames kept, `contextMs` of them.
 *
 * A frame without `metadata.speech` fails the stream. Samples are not looked at: NaN passes.
 *
 * @typeParam E what it gives
 *
 * @example
 * ```ts
 * import { Pipeline } from "@remotemedia/sdk";
 * import { type PendingTurn, TurnDetector, VoiceActivityDetector } from "@remotemedia/sdk/nodes";
 * import { speech } from "@remotemedia/sdk/testing";
 *
 * class Impatient extends TurnDetector {
 *   static override readonly module = import.meta.url;
 *   protected override likelihood({ speechEnd, start }: PendingTurn): number {
 *     return speechEnd - start > 2e6 ? 1 : 0; // two seconds are enough
 *   }
 * }
 *
 * const detector = new VoiceActivityDetector({ emit: "annotate" });
 * const pipeline = new Pipeline([detector, new Impatient({ silenceMs: 600 })]);
 * for await (const { type, timestamp } of pipeline.run(await speech())) console.log(type, timestamp);
 * ```
 */
export class TurnDetector<E extends keyof TurnOutput = "events">
  extends Node<AudioFrame, TurnOutput[E], TurnDetectorOptions, TurnDetectorInput<E>> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  #turns = 0;
  #speech: Speech | undefined;
  /** Where the last frame ended, in µs. */
  #now = -Infinity;
  /** What a model will be given. Bounded by `contextMs` and a frame. */
  #context: AudioFrame[] = [];
  #contextUs = 0;

  /**
   * How likely it is that the turn is over, though silence has not lasted `silenceMs`: for a model, in a subclass.
   *
   * @param turn what was said, and the pause after it
   * @returns 0 to 1
   */
  protected likelihood?(turn: PendingTurn): number | Promise<number>;

  /** Takes a frame; gives what it makes sure. */
  override process(chunk: AudioFrame): NodeOutput<TurnOutput[E]> {
    const frame = requireAudio(this, chunk);
    const speaks = isSpeech(this, frame);
    const events = frame.timestamp < this.#now - JUMP_US ? this.#end("break") : [];
    this.#now = frame.timestamp + frame.duration;
    if (speaks) events.push(...this.#hearSpeech(frame));
    if (this.#speech !== undefined) this.#keep(frame); // what was before it is not of the turn
    const speech = this.#speech;
    if (speaks || speech === undefined) return this.#give(frame, events);
    const silence = (this.#now - speech.end) / 1000;
    if (silence >= this.options.silenceMs) events.push(...this.#end("silence"));
    else if (this.#isToBeAsked(speech, silence)) return this.#ask(frame, events, speech, silence);
    return this.#give(frame, events);
  }

  /** Ends the turn that goes on. */
  override flush(): NodeOutput<TurnOutput[E]> {
    const events = this.#end("end");
    return this.options.emit === "events" ? outputOf(events as TurnOutput[E][]) : undefined;
  }

  /** Forgets the turn that goes on. */
  override onInterrupt(): void {
    if (this.#speech?.isTurn) this.#turns++;
    this.#speech = undefined;
    this.#forgetContext();
  }

  /** The turn that goes on, and what a model will be given. */
  override snapshot(): unknown {
    return {
      turns: this.#turns,
      speech: this.#speech === undefined ? null : { ...this.#speech },
      now: this.#now,
      context: this.#context.map(frameState),
    } satisfies TurnState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { turns, speech, now, context } = state as TurnState;
    this.#turns = turns;
    this.#speech = speech === null ? undefined : { ...speech };
    this.#now = now;
    this.#forgetContext();
    for (const frame of context) this.#keep(new AudioFrame(frame));
  }

  #hearSpeech(frame: AudioFrame): TurnEvent[] {
    const events: TurnEvent[] = [];
    const pauseMs = this.#speech === undefined ? 0 : (frame.timestamp - this.#speech.end) / 1000;
    if (pauseMs >= this.options.silenceMs) events.push(...this.#end("silence"));
    const speech = this.#speech ??= {
      start: frame.timestamp,
      end: 0,
      spoken: 0,
      isTurn: false,
      asked: false,
    };
    speech.end = this.#now;
    speech.asked = false;
    speech.spoken += frame.duration;
    if (!speech.isTurn && speech.spoken >= this.options.minSpeechMs * 1000) {
      speech.isTurn = true;
      events.push({ type: "turn-start", turn: this.#turns, timestamp: speech.start });
    }
    return events;
  }

  #isToBeAsked({ isTurn, asked }: Speech, silence: number): boolean {
    return this.likelihood !== undefined && isTurn && !asked && silence >= this.options.pauseMs;
  }

  async #ask(
    frame: AudioFrame,
    events: TurnEvent[],
    speech: Speech,
    silenceMs: number,
  ): Promise<Outputs<TurnOutput[E]>> {
    speech.asked = true;
    const { start, end: speechEnd } = speech;
    const frames = [...this.#context];
    const likelihood = await this.likelihood!({
      turn: this.#turns,
      start,
      speechEnd,
      silenceMs,
      frames,
    });
    // interrupted meanwhile, there is no turn to end, and the engine drops what is given
    if (likelihood >= this.options.threshold) events.push(...this.#end("model"));
    return this.#give(frame, events);
  }

  #end(reason: TurnEvent["reason"]): TurnEvent[] {
    const speech = this.#speech;
    this.#speech = undefined;
    this.#forgetContext();
    if (!speech?.isTurn) return [];
    return [{ type: "turn-end", turn: this.#turns++, timestamp: speech.end, reason }];
  }

  #give(frame: AudioFrame, events: TurnEvent[]): Outputs<TurnOutput[E]> {
    if (this.options.emit === "events") return outputOf(events as TurnOutput[E][]);
    const turn = this.#speech?.isTurn ? this.#turns : null;
    return frame.with({ metadata: { ...frame.metadata, turn } }) as TurnOutput[E];
  }

  #keep(frame: AudioFrame): void {
    if (this.likelihood === undefined) return;
    this.#context.push(frame);
    this.#contextUs += frame.duration;
    while (this.#contextUs - this.#context[0]!.duration >= this.options.contextMs * 1000) {
      this.#contextUs -= this.#context.shift()!.duration;
      if (this.#context.length === 0) break;
    }
  }

  #forgetContext(): void {
    this.#context = [];
    this.#contextUs = 0;
  }
}

/** A frame that starts further than this before the last one's end is a jump back, in µs. */
const JUMP_US = 40_000;

/** No, one or several outputs. */
type Outputs<O> = ReturnType<typeof outputOf<O>>;

/** State of a detector, structured-clonable. */
interface TurnState {
  turns: number;
  speech: Speech | null;
  now: number;
  context: FrameState[];
}

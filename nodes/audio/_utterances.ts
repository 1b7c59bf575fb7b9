import { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Metadata } from "../../core/frames/mod.ts";
import { PlanarQueue } from "./_planar_queue.ts";
import type { Run } from "./_run.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** Why an utterance ended. */
export type UtteranceEnd = "silence" | "max-length" | "end" | "break";

/** What makes an utterance, in ms. */
export interface UtteranceRules {
  /** Given of what was heard before speech began. */
  preRollMs: number;
  /** Silence that ends it, given with it. */
  hangOverMs: number;
  /** Speech in it that is less is none. */
  minSpeechMs: number;
  /** Longer ones are cut. */
  maxLengthMs: number;
}

/** State of {@linkcode Utterances}, structured-clonable. */
export interface UtterancesState {
  sampleRate: number;
  channels: number;
  timeline: TimelineState;
  samples: Float32Array;
  open: OpenUtterance | null;
}

interface OpenUtterance {
  /** Of the frame with which it began. */
  metadata: Metadata;
  /** Samples that are speech, and samples of silence since. */
  speech: number;
  silence: number;
  /** Whether it goes on from one that was too long. */
  continued: boolean;
}

/**
 * Cuts audio of one format without a jump in time into utterances, by what is known of each frame. Holds `preRollMs`
 * while it is silent, and `maxLengthMs` and a frame at the most.
 */
export class Utterances implements Run {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  readonly #rules: UtteranceRules;
  readonly #samples: PlanarQueue;
  #open: OpenUtterance | null = null;

  constructor(
    { sampleRate, channels }: { sampleRate: number; channels: number },
    rules: UtteranceRules,
  ) {
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.timeline = new Timeline(sampleRate);
    this.#rules = rules;
    this.#samples = new PlanarQueue(channels);
  }

  /** Takes a frame, and whether it is speech; gives the utterances that have ended. */
  add(frame: AudioFrame, isSpeech: boolean): AudioFrame[] {
    const { numberOfFrames, metadata } = frame;
    this.timeline.add(frame.timestamp, numberOfFrames);
    this.#samples.push(frame.data);
    if (isSpeech) this.#open ??= { metadata, speech: 0, silence: 0, continued: false };
    const open = this.#open;
    if (open === null) {
      this.#keepPreRoll();
      return [];
    }
    if (isSpeech) {
      open.speech += numberOfFrames;
      open.silence = 0;
    } else open.silence += numberOfFrames;
    const utterances = this.#cutLong(open);
    const beyond = open.silence - this.#count(this.#rules.hangOverMs);
    if (!isSpeech && beyond >= 0) utterances.push(...this.#end("silence", beyond));
    return utterances;
  }

  /** Ends the utterance that goes on, if there is one. */
  finish(reason: UtteranceEnd): AudioFrame[] {
    return this.#open === null ? [] : this.#end(reason, 0);
  }

  /** What it holds. */
  snapshot(): UtterancesState {
    const { sampleRate, channels, timeline } = this;
    return {
      sampleRate,
      channels,
      timeline: timeline.snapshot(),
      samples: this.#samples.peek(),
      open: this.#open === null ? null : { ...this.#open },
    };
  }

  /** Goes on from a snapshot. */
  restore({ timeline, samples, open }: UtterancesState): void {
    this.timeline.restore(timeline);
    this.#samples.push(samples);
    this.#open = open === null ? null : { ...open };
  }

  #count(ms: number): number {
    return Math.round(ms * this.sampleRate / 1000);
  }

  #keepPreRoll(): void {
    const beyond = this.#samples.length - this.#count(this.#rules.preRollMs);
    if (beyond > 0) this.#samples.take(beyond);
    this.timeline.forget(this.timeline.position - this.#samples.length);
  }

  /** Cuts off what is too long, for as long as it is. */
  #cutLong(open: OpenUtterance): AudioFrame[] {
    const utterances: AudioFrame[] = [];
    const most = Math.max(1, this.#count(this.#rules.maxLengthMs));
    while (this.#samples.length > most) {
      utterances.push(this.#take(most, open.metadata, "max-length"));
      open.continued = true;
      open.speech = Math.max(0, this.#samples.length - open.silence);
    }
    return utterances;
  }

  /** Ends the open utterance `beyond` samples ago; those stay for the next one's pre-roll. */
  #end(reason: UtteranceEnd, beyond: number): AudioFrame[] {
    const { metadata, speech, continued } = this.#open!;
    this.#open = null;
    const least = continued ? 1 : this.#count(this.#rules.minSpeechMs);
    const length = this.#samples.length - beyond;
    const ended = speech >= least && length > 0 ? [this.#take(length, metadata, reason)] : [];
    this.#keepPreRoll();
    return ended;
  }

  #take(length: number, metadata: Metadata, reason: UtteranceEnd): AudioFrame {
    const position = this.timeline.position - this.#samples.length;
    return new AudioFrame({
      data: this.#samples.take(length),
      sampleRate: this.sampleRate,
      numberOfChannels: this.channels,
      timestamp: this.timeline.at(position),
      metadata: { ...metadata, reason },
    });
  }
}

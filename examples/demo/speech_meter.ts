import { type AudioFrame, Node } from "@remotemedia/sdk";

/** A stretch of speech with its sound. */
export interface Utterance {
  /** Where it starts, in µs. */
  start: number;
  /** Where it ends, in µs. */
  end: number;
  /** Its mean power, in dBFS. */
  loudness: number;
  /** Its sound. */
  frames: AudioFrame[];
}

/** A gap longer than this, in µs, ends an utterance. */
const GAP_US = 1000;

/**
 * Gathers frames of speech into utterances and measures each: a node of the demo's own, which any user
 * could write. Holds one utterance, which the detector's `maxSpeechMs` bounds.
 */
export class SpeechMeter extends Node<AudioFrame, Utterance> {
  #frames: AudioFrame[] = [];
  #end = 0;

  *process(frame: AudioFrame): Generator<Utterance> {
    if (this.#frames.length > 0 && Math.abs(frame.timestamp - this.#end) > GAP_US) {
      yield this.#utterance();
    }
    this.#frames.push(frame);
    this.#end = frame.timestamp + frame.duration;
  }

  override *flush(): Generator<Utterance> {
    if (this.#frames.length > 0) yield this.#utterance();
  }

  #utterance(): Utterance {
    const frames = this.#frames;
    this.#frames = [];
    let sum = 0;
    let count = 0;
    for (const { data } of frames) {
      for (const sample of data) sum += sample ** 2;
      count += data.length;
    }
    const loudness = 10 * Math.log10(sum / count + 1e-12);
    return { start: frames[0]!.timestamp, end: this.#end, loudness, frames };
  }
}

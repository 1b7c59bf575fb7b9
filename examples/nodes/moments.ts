import { AudioFrame, type LevelReading, Node } from "@remotemedia/sdk";

/** What is known of 100 ms of sound. */
export interface Moment {
  /** When it begins, in µs. */
  timestamp: number;
  /** Whether somebody speaks. */
  speech: boolean;
  /** How loud it is, in dBFS. */
  db: number;
}

/** Joins what two others found out about the same time. Takes both in the order of their timestamps. */
export class Moments extends Node<AudioFrame | LevelReading, Moment> {
  static override readonly module = import.meta.url;
  #moment: Partial<Moment> = {};

  process(chunk: AudioFrame | LevelReading): Moment | undefined {
    const { timestamp } = chunk;
    const known = this.#moment.timestamp === timestamp ? this.#moment : { timestamp };
    this.#moment = chunk instanceof AudioFrame
      ? { ...known, speech: chunk.metadata.speech === true }
      : { ...known, db: chunk.rms[0]! };
    const { speech, db } = this.#moment;
    return speech === undefined || db === undefined ? undefined : { timestamp, speech, db };
  }
}

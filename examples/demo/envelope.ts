import { type AudioFrame, Node } from "@remotemedia/sdk";

/** Bars of the picture at the most; when they are full, two and two become one. */
const MAX_BARS = 1200;

/** Passes audio through and keeps its outline for the picture, in bounded memory whatever the length. */
export class Envelope extends Node<AudioFrame, AudioFrame> {
  /** The highest sample of each stretch. */
  #peaks: number[] = [];
  #barUs = 10_000;
  #end = 0;

  /** The highest sample of each of the stretches that the sound is divided into. */
  get peaks(): readonly number[] {
    return this.#peaks;
  }

  /** How long the sound is, in seconds. */
  get seconds(): number {
    return this.#end / 1e6;
  }

  process(frame: AudioFrame): AudioFrame {
    this.#end = frame.timestamp + frame.duration;
    const samples = frame.channel(0);
    for (let index = 0; index < samples.length; index++) {
      const bar = Math.floor((frame.timestamp + index * 1e6 / frame.sampleRate) / this.#barUs);
      if (bar >= MAX_BARS) {
        this.#halve();
        index--;
        continue;
      }
      this.#peaks[bar] = Math.max(this.#peaks[bar] ?? 0, Math.abs(samples[index]!));
    }
    return frame;
  }

  #halve(): void {
    const old = this.#peaks;
    this.#barUs *= 2;
    this.#peaks = Array.from(
      { length: Math.ceil(old.length / 2) },
      (_, index) => Math.max(old[2 * index] ?? 0, old[2 * index + 1] ?? 0),
    );
  }
}

import { type AudioFrame, Node } from "@remotemedia/sdk";

/** Passes live audio on, and tells how long ago a moment of it was. */
export class StreamClock extends Node<AudioFrame, AudioFrame> {
  /** When the stream's time 0 was, in ms. The frame that was least late on its way says it best. */
  #zero = Infinity;

  process(frame: AudioFrame): AudioFrame {
    const end = (frame.timestamp + frame.duration) / 1000;
    this.#zero = Math.min(this.#zero, performance.now() - end);
    return frame;
  }

  /** How long ago `timestamp` (in µs) was heard, in ms. */
  since(timestamp: number): number {
    return performance.now() - this.#zero - timestamp / 1000;
  }
}

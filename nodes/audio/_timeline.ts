/** A frame that starts further than this from where the one before ended is a jump, in µs. */
export const JUMP_US = 40_000;

/** Times that differ by less are taken for rounding, in µs: containers count in ms. */
const ROUNDING_US = 1000;

/** Where a run of frames is in time: a structured-clonable value. */
export interface TimelineState {
  /** Frames (samples of each channel) so far. */
  position: number;
  /** Known times: this frame is heard at that µs. */
  anchors: { position: number; timestamp: number }[];
}

/**
 * Tells when each sample of a run of frames is heard. Counts samples from the first timestamp, so that
 * rounded timestamps do not add up; takes a new one where it differs by more than rounding. A jump in
 * time of more than 40 ms, as in GStreamer's `alignment-threshold`, is not of the same run: the caller ends
 * the run there.
 */
export class Timeline {
  readonly #sampleRate: number;
  #position = 0;
  /** Bounded by who calls {@linkcode Timeline.forget}: one entry a frame at the most. */
  #anchors: { position: number; timestamp: number }[] = [];

  /** @param sampleRate of the run, in Hz */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** Samples of each channel so far. */
  get position(): number {
    return this.#position;
  }

  /** Whether a frame of this timestamp goes on where the run is; the first always does. */
  continues(timestamp: number): boolean {
    return this.#anchors.length === 0 || Math.abs(timestamp - this.at(this.#position)) <= JUMP_US;
  }

  /** Adds a frame. */
  add(timestamp: number, frames: number): void {
    const isKnown = this.#anchors.length > 0 &&
      Math.abs(timestamp - this.at(this.#position)) <= ROUNDING_US;
    if (!isKnown) this.#anchors.push({ position: this.#position, timestamp });
    this.#position += frames;
  }

  /** When the sample is heard, in µs, not rounded. */
  at(position: number): number {
    let index = this.#anchors.length - 1;
    while (index > 0 && this.#anchors[index]!.position > position) index--;
    const anchor = this.#anchors[index]!;
    return anchor.timestamp + (position - anchor.position) * 1e6 / this.#sampleRate;
  }

  /** Forgets what is only needed for samples before this one. */
  forget(position: number): void {
    while (this.#anchors.length > 1 && this.#anchors[1]!.position <= position) {
      this.#anchors.shift();
    }
  }

  /** Its state, for {@linkcode Timeline.restore}. */
  snapshot(): TimelineState {
    return { position: this.#position, anchors: this.#anchors.map((anchor) => ({ ...anchor })) };
  }

  /** Goes on from a snapshot. */
  restore({ position, anchors }: TimelineState): void {
    this.#position = position;
    this.#anchors = anchors.map((anchor) => ({ ...anchor }));
  }
}

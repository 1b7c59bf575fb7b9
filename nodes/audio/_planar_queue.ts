/**
 * Planar samples `[channels × frames]`, put in and taken out in pieces of any length. Bounded by who puts
 * in: nodes take out all they can before they return.
 */
export class PlanarQueue {
  readonly #channels: number;
  readonly #blocks: { data: Float32Array; frames: number }[] = [];
  /** Frames of the first block that are taken already. */
  #taken = 0;
  #length = 0;

  /** @param numberOfChannels 1 to 32 */
  constructor(numberOfChannels: number) {
    this.#channels = numberOfChannels;
  }

  /** Frames that are in it. */
  get length(): number {
    return this.#length;
  }

  /** Puts samples in; they are not copied. */
  push(data: Float32Array): void {
    const frames = data.length / this.#channels;
    if (frames === 0) return;
    this.#blocks.push({ data, frames });
    this.#length += frames;
  }

  /** Takes so many frames out, at most {@linkcode PlanarQueue.length}; a block taken whole is not copied. */
  take(frames: number): Float32Array {
    const whole = this.#blocks[0];
    if (whole !== undefined && this.#taken === 0 && whole.frames === frames) {
      this.#blocks.shift();
      this.#length -= frames;
      return whole.data;
    }
    const taken = this.#copy(frames);
    this.#drop(frames);
    return taken;
  }

  /** A copy of all that is in it. */
  peek(): Float32Array {
    return this.#copy(this.#length);
  }

  #copy(frames: number): Float32Array {
    const copy = new Float32Array(frames * this.#channels);
    let at = 0;
    let skip = this.#taken;
    for (const block of this.#blocks) {
      if (at === frames) break;
      const count = Math.min(frames - at, block.frames - skip);
      for (let channel = 0; channel < this.#channels; channel++) {
        const from = channel * block.frames + skip;
        copy.set(block.data.subarray(from, from + count), channel * frames + at);
      }
      at += count;
      skip = 0;
    }
    return copy;
  }

  #drop(frames: number): void {
    this.#length -= frames;
    this.#taken += frames;
    while (this.#blocks.length > 0 && this.#taken >= this.#blocks[0]!.frames) {
      this.#taken -= this.#blocks.shift()!.frames;
    }
  }
}

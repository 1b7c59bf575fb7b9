/** Blocks below this do not count, in LUFS. */
const ABSOLUTE = -70;

/** Nor do those further than this below the mean of the others, in LU. */
const RELATIVE = -10;

/** Bins a LU, and the loudness that the last bin ends at. */
const FINENESS = 100;
const LOUDEST = 30;

/** Power as loudness, in LUFS: ITU-R BS.1770-4, equation (2). */
export function loudnessOf(power: number): number {
  return -0.691 + 10 * Math.log10(power);
}

/**
 * Integrated loudness with both gates of ITU-R BS.1770-4, annex 1, for streams of any length: blocks go into bins
 * of 0.01 LU, each with their exact sum, so that only the relative gate is rounded. Bounded: 10000 bins.
 */
export class LoudnessGate {
  readonly #counts = new Uint32Array((LOUDEST - ABSOLUTE) * FINENESS);
  readonly #powers = new Float64Array(this.#counts.length);

  /** Counts a block of 400 ms by its weighted mean power. */
  add(power: number): void {
    const bin = Math.floor((loudnessOf(power) - ABSOLUTE) * FINENESS);
    if (!(bin >= 0)) return;
    const within = Math.min(bin, this.#counts.length - 1);
    this.#counts[within]!++;
    this.#powers[within]! += power;
  }

  /** The loudness of all blocks so far, in LUFS; `-Infinity` if none counts. */
  get integrated(): number {
    const threshold = loudnessOf(this.#mean(0)) + RELATIVE;
    return loudnessOf(this.#mean(Math.max(0, Math.floor((threshold - ABSOLUTE) * FINENESS))));
  }

  /** The bins that are not empty. */
  snapshot(): [bin: number, count: number, power: number][] {
    const bins: [number, number, number][] = [];
    this.#counts.forEach((count, bin) => {
      if (count > 0) bins.push([bin, count, this.#powers[bin]!]);
    });
    return bins;
  }

  /** Goes on from a snapshot. */
  restore(bins: readonly [bin: number, count: number, power: number][]): void {
    this.#counts.fill(0);
    this.#powers.fill(0);
    for (const [bin, count, power] of bins) {
      this.#counts[bin] = count;
      this.#powers[bin] = power;
    }
  }

  /** The mean power of the blocks from this bin on. */
  #mean(from: number): number {
    let [count, power] = [0, 0];
    for (let bin = from; bin < this.#counts.length; bin++) {
      count += this.#counts[bin]!;
      power += this.#powers[bin]!;
    }
    return count === 0 ? 0 : power / count;
  }
}

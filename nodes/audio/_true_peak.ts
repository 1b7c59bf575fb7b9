/** ITU-R BS.1770-4, annex 2: the first two of the four phases; the others are these backwards. */
const first = [
  ...[0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875],
  ...[0.1373291015625, 0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125],
  ...[0.014892578125, -0.00830078125],
];
const second = [
  ...[-0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625],
  ...[0.465087890625, 0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625],
  ...[0.0330810546875, -0.0189208984375],
];
const phases = [first, second, second.toReversed(), first.toReversed()].map((taps) =>
  Float64Array.from(taps.toReversed())
);

/** Samples that a phase looks at. */
const TAPS = 12;

/**
 * The highest value between samples as well as at them: four times as many samples by the filter of ITU-R
 * BS.1770-4, annex 2. Six samples late.
 */
export class TruePeak {
  /** The last 11 samples of each channel. */
  readonly memory: Float32Array;
  #window = new Float32Array(0);

  constructor(channels: number) {
    this.memory = new Float32Array((TAPS - 1) * channels);
  }

  /** The peak of the next samples of a channel, 0 and up. */
  peak(channel: number, samples: Float32Array): number {
    const before = this.memory.subarray(channel * (TAPS - 1), (channel + 1) * (TAPS - 1));
    const length = TAPS - 1 + samples.length;
    if (this.#window.length < length) this.#window = new Float32Array(length);
    const window = this.#window;
    window.set(before);
    window.set(samples, TAPS - 1);
    let most = 0;
    for (let at = 0; at < samples.length; at++) {
      for (const taps of phases) {
        let sum = 0;
        for (let tap = 0; tap < TAPS; tap++) sum += taps[tap]! * window[at + tap]!;
        most = Math.max(most, Math.abs(sum));
      }
    }
    before.set(window.subarray(samples.length, length));
    return most;
  }
}

import { MediaError } from "../../core/errors.ts";

/** What goes to each side of stereo, by speaker positions in the order of WAVE. */
const layouts: Readonly<Record<number, string>> = {
  3: "LRC",
  4: "LRlr",
  5: "LRClr",
  6: "LRC-lr",
  7: "LRC-slr",
  8: "LRC-lrlr",
};

/** −3 dB, for speakers between or behind the two. */
const HALF_POWER = Math.SQRT1_2;

/** Gains `[to][from]`, or a copy of the one channel. */
type Matrix = readonly (readonly number[])[];

/** Whether channels go down, as is cheaper before resampling than after. */
export function mixesDown(from: number, to: number): boolean {
  return to < from;
}

/**
 * Makes a conversion of planar samples from one number of channels to another: to one channel their mean,
 * from one a copy, from 3 to 8 to two the downmix of ITU-R BS.775 (without the low-frequency channel,
 * scaled so that full scale stays full scale).
 *
 * @throws {MediaError} for other pairs: nobody can tell what they should be
 */
export function channelMix(
  from: number,
  to: number,
): (data: Float32Array) => Float32Array<ArrayBufferLike> {
  if (from === to) return (data) => data;
  if (from === 1) return (data) => repeat(data, to);
  const matrix = matrixOf(from, to);
  return (data) => multiply(data, matrix, from);
}

function matrixOf(from: number, to: number): Matrix {
  if (to === 1) return [Array.from({ length: from }, () => 1 / from)];
  const layout = layouts[from];
  if (to !== 2 || layout === undefined) {
    throw new MediaError(
      `Cannot convert ${from} channels to ${to} as only 1 to any, any to 1, and 3 to 8 to 2 are defined`,
    );
  }
  return ["Ll", "Rr"].map(([front, back]) => {
    const gains = [...layout].map((speaker) => {
      if (speaker === front) return 1;
      return speaker === back || speaker === "C" ? HALF_POWER : speaker === "s" ? 0.5 : 0;
    });
    const sum = gains.reduce((all, gain) => all + gain, 0);
    return gains.map((gain) => gain / sum);
  });
}

function repeat(data: Float32Array, times: number): Float32Array {
  const output = new Float32Array(times * data.length);
  for (let channel = 0; channel < times; channel++) output.set(data, channel * data.length);
  return output;
}

function multiply(data: Float32Array, matrix: Matrix, from: number): Float32Array {
  const frames = data.length / from;
  const output = new Float32Array(matrix.length * frames);
  for (const [to, gains] of matrix.entries()) {
    const mixed = output.subarray(to * frames, (to + 1) * frames);
    for (const [channel, gain] of gains.entries()) {
      if (gain === 0) continue;
      const start = channel * frames;
      for (let frame = 0; frame < frames; frame++) mixed[frame]! += gain * data[start + frame]!;
    }
  }
  return output;
}

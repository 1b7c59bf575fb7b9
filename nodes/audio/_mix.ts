/** What each input channel gives to each output channel: `[outputs][inputs]`. */
type Matrix = readonly (readonly number[])[];

/** Half the power. */
const H = Math.SQRT1_2;

/**
 * The "speakers" mixes of the Web Audio API (https://www.w3.org/TR/webaudio/#channel-up-mixing-and-down-mixing)
 * for quad (L R SL SR) and 5.1 (L R C LFE SL SR), and by the same weights 3.0, 5.0, 6.1 (with a middle at the back
 * after the LFE) and 7.1 to stereo; those of 5.1 and the like to fewer are divided so that nothing clips that did not
 * clip before.
 */
const speakers: Readonly<Record<string, Matrix>> = {
  "2>4": [[1, 0], [0, 1], [0, 0], [0, 0]],
  "2>6": [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0]],
  "4>6": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
  "4>2": [[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5]],
  "3>2": even([[1, 0, H], [0, 1, H]]),
  "5>2": even([[1, 0, H, H, 0], [0, 1, H, 0, H]]),
  "7>2": even([[1, 0, H, 0, 0.5, H, 0], [0, 1, H, 0, 0.5, 0, H]]),
  "8>2": even([[1, 0, H, 0, H, 0, H, 0], [0, 1, H, 0, 0, H, 0, H]]),
  "6>2": even([[1, 0, H, 0, H, 0], [0, 1, H, 0, 0, H]]),
  "6>4": even([[1, 0, H, 0, 0, 0], [0, 1, H, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]),
};

/** Divides each row by its sum. */
function even(matrix: Matrix): Matrix {
  return matrix.map((row) => {
    const sum = row.reduce((all, weight) => all + weight, 0);
    return row.map((weight) => weight / sum);
  });
}

/**
 * Planar samples `[channels × frames]` with another number of channels. N to 1: the mean. 1 to N: copies.
 * Between 2, 4 and 6, and from 3 to 8 to 2: as {@linkcode speakers} says. Otherwise channel by channel: those too many are left
 * out, those missing are silent.
 */
export function mix(data: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return data;
  const frames = data.length / from;
  const mixed = new Float32Array(frames * to);
  const matrix = speakers[`${from}>${to}`];
  if (to === 1) mean(data, frames, mixed);
  else if (from === 1) {
    for (let channel = 0; channel < to; channel++) mixed.set(data, channel * frames);
  } else if (matrix !== undefined) weigh(data, frames, matrix, mixed);
  else mixed.set(data.subarray(0, frames * Math.min(from, to)));
  return mixed;
}

function mean(data: Float32Array, frames: number, mixed: Float32Array): void {
  const channels = data.length / frames;
  for (let index = 0; index < frames; index++) {
    let sum = 0;
    for (let at = index; at < data.length; at += frames) sum += data[at]!;
    mixed[index] = sum / channels;
  }
}

function weigh(data: Float32Array, frames: number, matrix: Matrix, mixed: Float32Array): void {
  for (const [output, weights] of matrix.entries()) {
    for (const [input, weight] of weights.entries()) {
      if (weight === 0) continue;
      const [from, to] = [input * frames, output * frames];
      for (let index = 0; index < frames; index++) {
        mixed[to + index]! += weight * data[from + index]!;
      }
    }
  }
}

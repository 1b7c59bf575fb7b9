/** Coefficients of a second-order section, `a0` = 1. */
interface Section {
  b0: number;
  b1: number;
  b2: number;
  a1: number;
  a2: number;
}

/** How much each channel counts, by the number of channels: surround 1.41, low frequencies nothing, others 1. */
const SURROUND = 1.41;
const weights: Readonly<Record<number, readonly number[]>> = {
  4: [1, 1, SURROUND, SURROUND],
  5: [1, 1, 1, SURROUND, SURROUND],
  6: [1, 1, 1, 0, SURROUND, SURROUND],
};

/** Numbers that one channel remembers: two for each of two sections. */
const MEMORY = 4;

/**
 * Weighted energy of audio: the K filter and the channel weights of ITU-R BS.1770-4, annex 1, for any rate. The
 * standard gives coefficients for 48 kHz; these come from the same analogue filters by the bilinear transform, as
 * derived by B. De Man ("Evaluation of implementations of the EBU R128 loudness measurement", AES 2018).
 */
export class KWeighting {
  readonly #shelf: Section;
  readonly #highPass: Section;
  readonly #weights: readonly number[];
  /** What the filters remember, four numbers a channel. */
  readonly memory: Float64Array;

  /** @param sampleRate in Hz, at least 8000 */
  constructor(sampleRate: number, channels: number) {
    this.#shelf = shelf(sampleRate);
    this.#highPass = highPass(sampleRate);
    this.#weights = weights[channels] ?? new Array(channels).fill(1);
    this.memory = new Float64Array(MEMORY * channels);
  }

  /** The sum of the weighted squares of the next samples of a channel. */
  energy(channel: number, samples: Float32Array): number {
    const [shelf, pass, memory] = [this.#shelf, this.#highPass, this.memory];
    const at = MEMORY * channel;
    let [p, q, r, s] = [memory[at]!, memory[at + 1]!, memory[at + 2]!, memory[at + 3]!];
    let sum = 0;
    for (let index = 0; index < samples.length; index++) {
      const x = samples[index]!; // transposed direct form II, twice
      const y = shelf.b0 * x + p;
      p = shelf.b1 * x - shelf.a1 * y + q;
      q = shelf.b2 * x - shelf.a2 * y;
      const z = pass.b0 * y + r;
      r = pass.b1 * y - pass.a1 * z + s;
      s = pass.b2 * y - pass.a2 * z;
      sum += z * z;
    }
    [memory[at], memory[at + 1], memory[at + 2], memory[at + 3]] = [p, q, r, s];
    return sum * this.#weights[channel]!;
  }
}

/** Stage 1: the head as a sphere, +4 dB above 1.7 kHz. */
function shelf(sampleRate: number): Section {
  const k = Math.tan(Math.PI * 1681.974450955533 / sampleRate);
  const high = 10 ** (3.999843853973347 / 20);
  const band = high ** 0.4996667741545416;
  const q = k / 0.7071752369554196;
  const a0 = 1 + q + k * k;
  return {
    b0: (high + band * q + k * k) / a0,
    b1: 2 * (k * k - high) / a0,
    b2: (high - band * q + k * k) / a0,
    a1: 2 * (k * k - 1) / a0,
    a2: (1 - q + k * k) / a0,
  };
}

/** Stage 2: no low frequencies, below 38 Hz. */
function highPass(sampleRate: number): Section {
  const k = Math.tan(Math.PI * 38.13547087602444 / sampleRate);
  const q = k / 0.5003270373238773;
  const a0 = 1 + q + k * k;
  return { b0: 1, b1: -2, b2: 1, a1: 2 * (k * k - 1) / a0, a2: (1 - q + k * k) / a0 };
}

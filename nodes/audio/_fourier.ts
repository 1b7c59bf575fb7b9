/**
 * The power spectrum of real signals whose length is a power of two: a complex transform of half the length (radix 2,
 * decimation in time; Cooley and Tukey, 1965), and the two halves put together.
 */
export class Fourier {
  readonly #size: number;
  readonly #reversed: Uint32Array;
  /** cos and -sin of 2πk / size. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  /** @param size a power of two, at least 4 */
  constructor(size: number) {
    const half = size / 2;
    const bits = Math.log2(half);
    this.#size = size;
    this.#reversed = Uint32Array.from({ length: half }, (_, index) => reverse(index, bits));
    this.#cos = Float64Array.from({ length: half }, (_, k) => Math.cos(2 * Math.PI * k / size));
    this.#sin = Float64Array.from({ length: half }, (_, k) => -Math.sin(2 * Math.PI * k / size));
    this.#real = new Float64Array(half);
    this.#imaginary = new Float64Array(half);
  }

  /** The squared magnitudes of bins 0 to size / 2 of `size` samples. */
  power(samples: Float64Array, power: Float64Array): void {
    const half = this.#size / 2;
    const [real, imaginary] = [this.#real, this.#imaginary];
    for (let index = 0; index < half; index++) {
      const from = 2 * this.#reversed[index]!;
      real[index] = samples[from]!;
      imaginary[index] = samples[from + 1]!;
    }
    this.#transform();
    for (let k = 0; k <= half; k++) {
      const [low, high] = [k % half, (half - k) % half];
      const evenReal = (real[low]! + real[high]!) / 2;
      const evenImaginary = (imaginary[low]! - imaginary[high]!) / 2;
      const oddReal = (imaginary[low]! + imaginary[high]!) / 2;
      const oddImaginary = (real[high]! - real[low]!) / 2;
      const cos = k === half ? -1 : this.#cos[k]!;
      const sin = k === half ? 0 : this.#sin[k]!;
      const x = evenReal + cos * oddReal - sin * oddImaginary;
      const y = evenImaginary + cos * oddImaginary + sin * oddReal;
      power[k] = x * x + y * y;
    }
  }

  #transform(): void {
    const [real, imaginary, cos, sin] = [this.#real, this.#imaginary, this.#cos, this.#sin];
    const length = real.length;
    for (let width = 1; width < length; width *= 2) {
      const stride = length / width; // steps through the table of `size` in bins of 2 × width
      for (let start = 0; start < length; start += 2 * width) {
        for (let k = 0; k < width; k++) {
          const [a, b] = [start + k, start + k + width];
          const [c, s] = [cos[k * stride]!, sin[k * stride]!];
          const x = real[b]! * c - imaginary[b]! * s;
          const y = real[b]! * s + imaginary[b]! * c;
          real[b] = real[a]! - x;
          imaginary[b] = imaginary[a]! - y;
          real[a]! += x;
          imaginary[a]! += y;
        }
      }
    }
  }
}

function reverse(index: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit++) reversed |= ((index >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

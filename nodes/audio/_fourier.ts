/**
 * The power spectrum of real signals: a complex transform of half the length, and the two halves put together.
 */
export class Fourier {
  readonly #size: number;
  readonly #transform: ComplexTransform;
  /** cos and -sin of 2πk / size. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  /** @param size an even number, at least 4 */
  constructor(size: number) {
    const half = size / 2;
    this.#size = size;
    this.#transform = Number.isInteger(Math.log2(half)) ? new Radix2(half) : new Bluestein(half);
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
      real[index] = samples[2 * index]!;
      imaginary[index] = samples[2 * index + 1]!;
    }
    this.#transform.run(real, imaginary);
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
}

/** A discrete Fourier transform of complex numbers of one length, in place. */
interface ComplexTransform {
  run(real: Float64Array, imaginary: Float64Array): void;
}

/** For powers of two: radix 2, decimation in time (Cooley and Tukey, 1965). */
class Radix2 implements ComplexTransform {
  readonly #reversed: Uint32Array;
  /** cos and -sin of 2πk / length. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(length: number) {
    const bits = Math.log2(length);
    this.#reversed = Uint32Array.from({ length }, (_, index) => reverse(index, bits));
    const angles = Float64Array.from({ length: length / 2 }, (_, k) => 2 * Math.PI * k / length);
    this.#cos = angles.map(Math.cos);
    this.#sin = angles.map((angle) => -Math.sin(angle));
  }

  run(real: Float64Array, imaginary: Float64Array): void {
    const { length } = real;
    const [reversed, cos, sin] = [this.#reversed, this.#cos, this.#sin];
    for (let index = 0; index < length; index++) {
      const other = reversed[index]!;
      if (other <= index) continue;
      const [x, y] = [real[index]!, imaginary[index]!];
      real[index] = real[other]!;
      imaginary[index] = imaginary[other]!;
      real[other] = x;
      imaginary[other] = y;
    }
    for (let width = 1; width < length; width *= 2) {
      const stride = length / (2 * width);
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

/** For any length: a convolution with a chirp, which is two transforms of a power of two (Bluestein, 1970). */
class Bluestein implements ComplexTransform {
  readonly #fast: Radix2;
  /** cos and -sin of πk² / length. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  /** The transform of the chirp. */
  readonly #chirpReal: Float64Array;
  readonly #chirpImaginary: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  constructor(length: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * length - 1));
    this.#fast = new Radix2(size);
    // k² modulo 2 × length, as large angles lose digits
    const angles = Float64Array.from(
      { length },
      (_, k) => Math.PI * (k * k % (2 * length)) / length,
    );
    this.#cos = angles.map(Math.cos);
    this.#sin = angles.map((angle) => -Math.sin(angle));
    this.#chirpReal = new Float64Array(size);
    this.#chirpImaginary = new Float64Array(size);
    for (let k = 0; k < length; k++) {
      for (const at of [k, (size - k) % size]) {
        this.#chirpReal[at] = this.#cos[k]!;
        this.#chirpImaginary[at] = -this.#sin[k]!;
      }
    }
    this.#fast.run(this.#chirpReal, this.#chirpImaginary);
    this.#real = new Float64Array(size);
    this.#imaginary = new Float64Array(size);
  }

  run(real: Float64Array, imaginary: Float64Array): void {
    const [a, b, cos, sin] = [this.#real.fill(0), this.#imaginary.fill(0), this.#cos, this.#sin];
    for (let k = 0; k < real.length; k++) {
      a[k] = real[k]! * cos[k]! - imaginary[k]! * sin[k]!;
      b[k] = real[k]! * sin[k]! + imaginary[k]! * cos[k]!;
    }
    this.#fast.run(a, b);
    for (let k = 0; k < a.length; k++) {
      const [x, y] = [a[k]!, b[k]!];
      a[k] = x * this.#chirpReal[k]! - y * this.#chirpImaginary[k]!;
      b[k] = -(x * this.#chirpImaginary[k]! + y * this.#chirpReal[k]!); // turned for the way back
    }
    this.#fast.run(a, b);
    for (let k = 0; k < real.length; k++) {
      const [x, y] = [a[k]! / a.length, -b[k]! / a.length];
      real[k] = x * cos[k]! - y * sin[k]!;
      imaginary[k] = x * sin[k]! + y * cos[k]!;
    }
  }
}

function reverse(index: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit++) reversed |= ((index >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

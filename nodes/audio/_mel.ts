/** Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above. */
const LINEAR_HZ = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ;
const LOG_STEP = Math.log(6.4) / 27;

function melOf(hz: number): number {
  return hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

function hzOf(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

/** A triangle over the bins of a spectrum: the first bin, and the weights from there on. */
interface MelBand {
  first: number;
  weights: Float64Array;
}

/** What a {@linkcode melBands} is for. */
export interface MelFormat {
  /** In Hz. */
  sampleRate: number;
  /** Samples that a spectrum is of. */
  nFft: number;
  /** How many bands. */
  nMels: number;
  /** Where the lowest begins and the highest ends, in Hz. */
  fMin: number;
  fMax: number;
}

/** Triangular bands of equal width on the mel scale and equal area, as librosa's `filters.mel` makes them. */
export function melBands({ sampleRate, nFft, nMels, fMin, fMax }: MelFormat): MelBand[] {
  const [low, high] = [melOf(fMin), melOf(fMax)];
  const corners = Array.from(
    { length: nMels + 2 },
    (_, index) => hzOf(low + (high - low) * index / (nMels + 1)),
  );
  return Array.from({ length: nMels }, (_, band) => {
    const [start, top, end] = corners.slice(band, band + 3) as [number, number, number];
    const first = Math.max(0, Math.ceil(start * nFft / sampleRate));
    const last = Math.min(nFft / 2, Math.floor(end * nFft / sampleRate));
    const weights = Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
      const hz = (first + index) * sampleRate / nFft;
      const height = Math.max(0, Math.min((hz - start) / (top - start), (end - hz) / (end - top)));
      return height * 2 / (end - start);
    });
    return { first, weights };
  });
}

/** The bands' energies of a power spectrum. */
export function melOfPower(bands: readonly MelBand[], power: Float64Array): Float64Array {
  const energies = new Float64Array(bands.length);
  for (const [band, { first, weights }] of bands.entries()) {
    let sum = 0;
    for (let index = 0; index < weights.length; index++) {
      sum += weights[index]! * power[first + index]!;
    }
    energies[band] = sum;
  }
  return energies;
}

/** The first rows of the orthonormal discrete cosine transform, type II: `[count][size]`. */
export function cosineRows(count: number, size: number): Float64Array[] {
  return Array.from({ length: count }, (_, row) => {
    const scale = Math.sqrt((row === 0 ? 1 : 2) / size);
    return Float64Array.from(
      { length: size },
      (_, index) => scale * Math.cos(Math.PI * row * (index + 0.5) / size),
    );
  });
}

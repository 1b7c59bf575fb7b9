/** How a sample is stored, in ffmpeg's short words; all little-endian. */
export const sampleFormats = ["u8", "s16", "s24", "s32", "f32", "f64"] as const;

/** How a sample is stored, in ffmpeg's short word for it. */
export type SampleFormat = typeof sampleFormats[number];

/** The bytes of one sample. */
export const sampleBytes: Readonly<Record<SampleFormat, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Stored samples as `f32-planar`, full scale ±1. Whole numbers are divided by the size of the negative
 * full scale, so that {@linkcode encodeSamples} gives the same bytes again.
 *
 * @param bytes interleaved, whole sample frames
 * @returns `[channels × frames]`
 */
export function decodeSamples(
  bytes: Uint8Array,
  format: SampleFormat,
  numberOfChannels: number,
): Float32Array {
  const count = bytes.length / sampleBytes[format];
  const frames = count / numberOfChannels;
  if (format === "f32" && numberOfChannels === 1 && littleEndian) {
    return new Float32Array(bytes.slice().buffer);
  }
  const output = new Float32Array(count);
  const get = getters[format](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  for (let channel = 0; channel < numberOfChannels; channel++) {
    let at = channel * frames;
    for (let sample = channel; sample < count; sample += numberOfChannels) {
      output[at++] = get(sample);
    }
  }
  return output;
}

/**
 * Samples as they are stored: rounded to the nearest, clipped at full scale; not-a-number is silence.
 *
 * @param data planar `[channels × frames]`, full scale ±1
 * @returns interleaved
 */
export function encodeSamples(
  data: Float32Array,
  format: SampleFormat,
  numberOfChannels: number,
): Uint8Array<ArrayBuffer> {
  if (format === "f32" && numberOfChannels === 1 && littleEndian) {
    return new Uint8Array(data.slice().buffer);
  }
  const frames = data.length / numberOfChannels;
  const bytes = new Uint8Array(data.length * sampleBytes[format]);
  const set = setters[format](new DataView(bytes.buffer));
  for (let channel = 0; channel < numberOfChannels; channel++) {
    const start = channel * frames;
    for (let frame = 0; frame < frames; frame++) {
      set(frame * numberOfChannels + channel, data[start + frame]!);
    }
  }
  return bytes;
}

type Getter = (view: DataView) => (index: number) => number;

const getters: Record<SampleFormat, Getter> = {
  u8: (view) => (index) => (view.getUint8(index) - 128) / 128,
  s16: (view) => (index) => view.getInt16(2 * index, true) / 32_768,
  s24: (view) => (index) =>
    (view.getUint16(3 * index, true) | view.getInt8(3 * index + 2) << 16) / 8_388_608,
  s32: (view) => (index) => view.getInt32(4 * index, true) / 2_147_483_648,
  f32: (view) => (index) => view.getFloat32(4 * index, true),
  f64: (view) => (index) => view.getFloat64(8 * index, true),
};

type Setter = (view: DataView) => (index: number, value: number) => void;

const setters: Record<SampleFormat, Setter> = {
  u8: (view) => (index, value) => view.setUint8(index, whole(value, 128) + 128),
  s16: (view) => (index, value) => view.setInt16(2 * index, whole(value, 32_768), true),
  s24: (view) => (index, value) => {
    const sample = whole(value, 8_388_608);
    view.setUint16(3 * index, sample & 0xffff, true);
    view.setInt8(3 * index + 2, sample >> 16);
  },
  s32: (view) => (index, value) => view.setInt32(4 * index, whole(value, 2_147_483_648), true),
  f32: (view) => (index, value) => view.setFloat32(4 * index, value, true),
  f64: (view) => (index, value) => view.setFloat64(8 * index, value, true),
};

/** The sample as a whole number from `-scale` to `scale - 1`. */
function whole(value: number, scale: number): number {
  const scaled = Math.round(value * scale);
  if (scaled >= scale) return scale - 1;
  return scaled >= -scale ? scaled : Number.isNaN(scaled) ? 0 : -scale;
}

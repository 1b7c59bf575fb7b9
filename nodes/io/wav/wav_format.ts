import { MAX_CHANNELS } from "../../../core/frames/audio_frame.ts";
import { sampleBytes, type SampleFormat } from "./samples.ts";

/** What the samples of a WAV file are. */
export interface WavFormat {
  /** How a sample is stored. */
  sampleFormat: SampleFormat;
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels, 1 to 32. */
  numberOfChannels: number;
}

/** What is wrong with a WAV file, as the end of a sentence that begins with its name. */
export class WavFault extends Error {
  override readonly name: string = "WavFault";
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** The bytes of one sample of all channels. */
export function frameBytes({ sampleFormat, numberOfChannels }: WavFormat): number {
  return sampleBytes[sampleFormat] * numberOfChannels;
}

/**
 * Reads the content of a `fmt ` chunk (Microsoft, "Multiple channel audio data and WAVE files").
 *
 * @param chunk its first 40 bytes, or all if it is shorter
 * @returns `undefined` if the samples are compressed
 * @throws {WavFault} if it is too short or its numbers cannot be
 */
export function parseWavFormat(chunk: Uint8Array): WavFormat | undefined {
  if (chunk.length < 16) throw new WavFault("its format chunk is cut off");
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const [tag, numberOfChannels] = [view.getUint16(0, true), view.getUint16(2, true)];
  const [sampleRate, blockAlign] = [view.getUint32(4, true), view.getUint16(12, true)];
  const isExtensible = tag === EXTENSIBLE && chunk.length >= 26;
  const encoding = isExtensible ? view.getUint16(24, true) : tag;
  if (encoding !== PCM && encoding !== FLOAT) return undefined;
  if (numberOfChannels < 1 || numberOfChannels > MAX_CHANNELS) {
    throw new WavFault(`it has ${numberOfChannels} channels where 1 to ${MAX_CHANNELS} can be`);
  }
  if (sampleRate < 1 || sampleRate > 768_000) {
    throw new WavFault(`it has a sample rate of ${sampleRate} Hz where 1 to 768000 can be`);
  }
  // fewer valid bits than the container has, as 20 in 24, are left-justified: its size alone decides
  const bits = view.getUint16(14, true);
  const bytes = blockAlign === 0 ? Math.ceil(bits / 8) : blockAlign / numberOfChannels;
  const sampleFormat = encoding === PCM ? integers[bytes] : floats[bytes];
  if (sampleFormat === undefined) {
    throw new WavFault(`it has samples of ${bits} bits in ${bytes} bytes, which cannot be`);
  }
  return { sampleFormat, sampleRate, numberOfChannels };
}

const integers: Readonly<Record<number, SampleFormat>> = { 1: "u8", 2: "s16", 3: "s24", 4: "s32" };
const floats: Readonly<Record<number, SampleFormat>> = { 4: "f32", 8: "f64" };

/** Speaker positions by count, in the order of WAVE: mono, stereo, 3.0, quad, 5.0, 5.1, 6.1, 7.1. */
const channelMasks = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

/** The second half of the identifier of an extensible header's encoding. */
const GUID_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** A size that says: until the end of the file. */
export const UNKNOWN_SIZE = 0xffffffff;

/** All that stands before the samples. */
export interface WavHeader {
  /** The header as it is written first: its sizes unknown, so that it is valid if cut off. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the size of all that follows it goes, as 32-bit numbers. */
  riffSizeAt: number;
  /** Where the size of the samples goes. */
  dataSizeAt: number;
}

/** Makes the header of a WAV file; an extensible one where there are more than two channels. */
export function makeWavHeader(format: WavFormat): WavHeader {
  const { sampleFormat, sampleRate, numberOfChannels } = format;
  const encoding = sampleFormat.startsWith("f") ? FLOAT : PCM;
  const isExtensible = numberOfChannels > 2;
  const formatSize = isExtensible ? 40 : 16;
  const bytes = new Uint8Array(20 + formatSize + 8);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, "RIFF");
  view.setUint32(4, UNKNOWN_SIZE, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, formatSize, true);
  view.setUint16(20, isExtensible ? EXTENSIBLE : encoding, true);
  view.setUint16(22, numberOfChannels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, Math.min(sampleRate * frameBytes(format), 0xffffffff), true);
  view.setUint16(32, frameBytes(format), true);
  view.setUint16(34, 8 * sampleBytes[sampleFormat], true);
  if (isExtensible) {
    view.setUint16(36, 22, true);
    view.setUint16(38, 8 * sampleBytes[sampleFormat], true);
    view.setUint32(40, channelMasks[numberOfChannels] ?? 0, true);
    view.setUint16(44, encoding, true);
    bytes.set(GUID_TAIL, 46);
  }
  put(20 + formatSize, "data");
  view.setUint32(24 + formatSize, UNKNOWN_SIZE, true);
  return { bytes, riffSizeAt: 4, dataSizeAt: 24 + formatSize };
}

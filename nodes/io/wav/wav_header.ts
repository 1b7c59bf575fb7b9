import type { ByteInput } from "../_byte_input.ts";
import { parseWavFormat, UNKNOWN_SIZE, WavFault, type WavFormat } from "./wav_format.ts";

/** What the header of a WAV file tells. */
export interface WavInfo {
  /** What the samples are. */
  format: WavFormat;
  /** Bytes of samples; `undefined` where the header does not know: until the end. */
  dataBytes: number | undefined;
  /** Bytes before the samples. */
  headerBytes: number;
}

/** From here on, a size that the file does not hold was put by a writer that could not know it. */
const PLACEHOLDER_SIZE = 0x7fff0000;

/** What a format chunk takes at the most, as far as it matters here. */
const FORMAT_BYTES = 40;

/**
 * Reads all before the samples: a RIFF, RF64 or BW64 header with any chunks in front of `data`.
 *
 * @throws {WavFault} if it is cut off, the samples are compressed, or its numbers cannot be
 */
export async function readWavHeader(input: ByteInput): Promise<WavInfo> {
  const riff = view(await takeAll(input, 12));
  let riffBytes = riff.getUint32(4, true);
  let longDataBytes: number | undefined;
  let format: WavFormat | undefined;
  let at = 12;
  while (true) {
    const header = await takeAll(input, 8);
    const size = view(header).getUint32(4, true);
    at += 8;
    const id = textOf(header.subarray(0, 4));
    if (id === "data") {
      if (format === undefined) throw new WavFault("its samples come before their format");
      let dataBytes: number | undefined = size;
      if (size === UNKNOWN_SIZE) dataBytes = longDataBytes || undefined;
      else if (size === 0 && !isEmpty(riffBytes, at)) dataBytes = undefined;
      return { format, dataBytes, headerBytes: at };
    }
    let taken = 0;
    if (id === "fmt ") {
      const chunk = await takeAll(input, Math.min(size, FORMAT_BYTES));
      format = parseWavFormat(chunk);
      if (format === undefined) throw new WavFault("its samples are compressed");
      taken = chunk.length;
    } else if (id === "ds64" && size >= 16) {
      const sizes = view(await takeAll(input, 16));
      [riffBytes, longDataBytes] = [longAt(sizes, 0), longAt(sizes, 8)];
      taken = 16;
    }
    const rest = size + size % 2 - taken;
    if (await input.skip(rest) < rest) throw new WavFault("it is cut off inside its header");
    at += size + size % 2;
  }
}

/** Whether a WAV file that ends after `readBytes` of its `dataBytes` has lost something. */
export function isTruncated(dataBytes: number | undefined, readBytes: number): boolean {
  return dataBytes !== undefined && readBytes < dataBytes &&
    (dataBytes < PLACEHOLDER_SIZE || dataBytes > UNKNOWN_SIZE);
}

/**
 * Whether 0 bytes of samples are meant, not left open: something is said to follow them, or the file
 * to end there.
 */
function isEmpty(riffBytes: number, headerBytes: number): boolean {
  return riffBytes !== UNKNOWN_SIZE && riffBytes > headerBytes - 8;
}

async function takeAll(input: ByteInput, length: number): Promise<Uint8Array> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw new WavFault("it is cut off inside its header");
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function longAt(bytes: DataView, at: number): number {
  return Number(bytes.getBigUint64(at, true));
}

/** Four bytes as the word that they are. */
export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

import type { ByteInput } from "./_byte_input.ts";
import { parseWavFormat, WavFault } from "./wav/wav_format.ts";
import { textOf } from "./wav/wav_header.ts";

/**
 * What bytes are, as far as it decides how to read them: nothing at all, a WAV file with plain samples,
 * an MP4 whose index comes after its content, a playlist, audio that has no timestamps and so no gaps
 * (MP3, FLAC), an MPEG transport or program stream with a broadcast's clock, or anything else.
 */
export type MediaKind =
  | "empty"
  | "wav"
  | "mp4-index-last"
  | "playlist"
  | "gapless"
  | "broadcast"
  | "other";

/** How far the chunks or boxes at the front are followed. */
const MAX_LOOK_AHEAD = 1_048_576;

const wavWords = ["RIFF", "RF64", "BW64"];

/** The boxes that can be at the top of an MP4 or QuickTime file before its index or content. */
const boxNames = ["ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "uuid", "styp", "sidx"];

/** Looks ahead as far as it must, no further: a live stream gives its bytes slowly. */
export async function sniff(input: ByteInput): Promise<MediaKind> {
  const start = await input.peek(12);
  if (start.length === 0) return "empty";
  if (start.length < 12) return "other";
  if (wavWords.includes(textOf(start.subarray(0, 4)))) {
    return textOf(start.subarray(8)) === "WAVE" ? await sniffWav(input) : "other";
  }
  if (boxNames.includes(textOf(start.subarray(4, 8)))) return await sniffBoxes(input);
  const text = textOf(start);
  if (text.startsWith("#EXTM3U") || text.startsWith("<MPD")) return "playlist";
  // eleven bits of sync, then MPEG 1, 2 or 2.5, layer III
  const isMp3 = text.startsWith("ID3") || start[0] === 0xff && (start[1]! & 0xe6) === 0xe2;
  if (isMp3 || text.startsWith("fLaC")) return "gapless";
  return await isBroadcast(input) ? "broadcast" : "other";
}

async function sniffWav(input: ByteInput): Promise<MediaKind> {
  let at = 12;
  while (at < MAX_LOOK_AHEAD) {
    const header = (await input.peek(at + 8)).subarray(at);
    if (header.length < 8) break;
    const size = uint32(header, 4, true);
    if (textOf(header.subarray(0, 4)) === "fmt ") {
      const chunk = (await input.peek(at + 8 + Math.min(size, 40))).subarray(at + 8);
      try {
        return parseWavFormat(chunk) === undefined ? "other" : "wav";
      } catch (fault) {
        if (fault instanceof WavFault) return "wav"; // whoever reads its header tells the fault
        throw fault;
      }
    }
    at += 8 + size + size % 2;
  }
  return "wav";
}

async function sniffBoxes(input: ByteInput): Promise<MediaKind> {
  let at = 0;
  while (at < MAX_LOOK_AHEAD) {
    const header = (await input.peek(at + 8)).subarray(at);
    if (header.length < 8) return "other";
    const name = textOf(header.subarray(4, 8));
    if (name === "moov") return "other";
    const size = uint32(header, 0, false);
    if (name === "mdat" || size < 8) break;
    at += size;
  }
  return "mp4-index-last";
}

/** Whether packets of 188 bytes begin with the sync byte, or the first pack of a program stream is there. */
async function isBroadcast(input: ByteInput): Promise<boolean> {
  const start = await input.peek(4);
  if (start[0] === 0x47) return (await input.peek(189))[188] === 0x47;
  if (start[3] === 0xba) return start[0] === 0 && start[1] === 0 && start[2] === 1;
  return false;
}

function uint32(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, littleEndian);
}

/**
 * What reading and writing of NUT have in common. NUT is the container in which frames come from ffmpeg
 * and go to it: it carries uncompressed audio and video in one pipe, each with exact timestamps, and needs
 * no seeking. The names are those of the specification (ffmpeg.org/~michael/nut.txt).
 */

/** What every NUT file begins with. */
export const fileId = "nut/multimedia container\0";

/** The words that packets begin with: after an `N`. */
export const startcodes = {
  main: 0x4e4d7a561f5f04adn,
  stream: 0x4e5311405bf2f9dbn,
  syncpoint: 0x4e4be4adeeca4569n,
  index: 0x4e58dd672f23e64en,
  info: 0x4e49ab68b596ba78n,
} as const;

/** The bits of a frame code's flags. */
export const flag = {
  key: 1,
  eor: 2,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  smData: 256,
  headerIdx: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

/** Stream classes. */
export const streamClass = { video: 0, audio: 1 } as const;

/** A length of time as a fraction of seconds. */
export interface TimeBase {
  num: number;
  den: number;
}

/** A count of time base units in µs, without loss for any length of media. */
export function toMicroseconds(pts: number, { num, den }: TimeBase): number {
  const scaled = pts * num;
  const seconds = Math.floor(scaled / den);
  return seconds * 1e6 + (scaled - seconds * den) * 1e6 / den;
}

/** The CRC-32 of NUT: polynomial 0x04C11DB7, from 0, most significant bit first. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc << 8) ^ crcTable[((crc >>> 24) ^ byte) & 0xff]!;
  return crc >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

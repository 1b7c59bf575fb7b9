import { crc32, fileId, flag, startcodes, streamClass, type TimeBase } from "./nut.ts";

/** A stream to be written. */
export interface NutWriterStream {
  kind: "audio" | "video";
  /** How the samples or pixels are stored, as NUT names it: four characters. */
  fourcc: string;
  timeBase: TimeBase;
  /** Samples a second and channels of audio, or width and height of video. */
  shape: readonly [number, number];
}

/** Every frame is a key frame and tells its stream, time, size and checksum itself: one frame code for all. */
const FLAGS = flag.key | flag.streamId | flag.codedPts | flag.sizeMsb | flag.checksum;

/** Below `1 << this`, a coded time would be an abbreviation. None is. */
const MSB_PTS_SHIFT = 7;

/** Makes a NUT file, version 3: see `nut.ts`. Holds nothing. */
export class NutWriter {
  readonly #streams: readonly NutWriterStream[];

  constructor(streams: readonly NutWriterStream[]) {
    this.#streams = streams;
  }

  /** What the file begins with. */
  header(): Uint8Array<ArrayBuffer> {
    const bytes = new ByteBuilder();
    bytes.text(fileId);
    bytes.packet(startcodes.main, this.#mainHeader());
    for (const [id, stream] of this.#streams.entries()) {
      bytes.packet(startcodes.stream, streamHeader(id, stream));
    }
    return bytes.take();
  }

  /**
   * What stands before the bytes of a frame.
   *
   * @param id the stream's index; @param pts its time, in the stream's time base; @param size its bytes
   */
  frameHeader(id: number, pts: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new ByteBuilder();
    const syncpoint = new ByteBuilder();
    syncpoint.v(pts * this.#streams.length + id);
    syncpoint.v(0); // where the one before it is, which is for seeking
    bytes.packet(startcodes.syncpoint, syncpoint.take());
    const frame = new ByteBuilder();
    frame.u8(0); // the one frame code
    frame.v(id);
    frame.v(pts + (1 << MSB_PTS_SHIFT));
    frame.v(size);
    bytes.checked(frame.take());
    return bytes.take();
  }

  #mainHeader(): Uint8Array {
    const bytes = new ByteBuilder();
    for (const number of [3, this.#streams.length, 65_536, this.#streams.length]) bytes.v(number);
    for (const { timeBase: { num, den } } of this.#streams) {
      bytes.v(num);
      bytes.v(den);
    }
    // flags, fields that follow, pts delta, size step, stream, size, reserved, count
    for (const number of [FLAGS, 6, 0, 1, 0, 0, 0, 1]) bytes.v(number);
    for (const number of [flag.invalid, 6, 0, 1, 0, 0, 0, 254]) bytes.v(number);
    bytes.v(0); // no elision headers
    return bytes.take();
  }
}

function streamHeader(id: number, { kind, fourcc, shape }: NutWriterStream): Uint8Array {
  const bytes = new ByteBuilder();
  bytes.v(id);
  bytes.v(streamClass[kind]);
  bytes.v(fourcc.length);
  bytes.text(fourcc);
  // time base, shift, the longest step without a checksum, decode delay, flags, codec data
  for (const number of [id, MSB_PTS_SHIFT, 1 << 30, 0, 0, 0]) bytes.v(number);
  const [first, second] = shape;
  const rest = kind === "audio" ? [first, 1, second] : [first, second, 0, 0, 0];
  for (const number of rest) bytes.v(number);
  return bytes.take();
}

/** Puts NUT's numbers one after another. */
class ByteBuilder {
  readonly #bytes: number[] = [];

  u8(value: number): void {
    this.#bytes.push(value);
  }

  /** A whole number of any length, seven bits a byte. */
  v(value: number): void {
    const digits = [value % 128];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
      digits.push(128 + rest % 128);
    }
    this.#bytes.push(...digits.reverse());
  }

  text(text: string): void {
    for (const letter of text) this.u8(letter.charCodeAt(0));
  }

  #put(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** Bytes and their checksum. */
  checked(bytes: Uint8Array): void {
    this.#put(bytes);
    const crc = crc32(bytes);
    for (const shift of [24, 16, 8, 0]) this.u8(crc >>> shift & 255);
  }

  /** A startcode, the length of what follows, and that. None here is so long that its head has a checksum. */
  packet(startcode: bigint, content: Uint8Array): void {
    const word = new DataView(new ArrayBuffer(8));
    word.setBigUint64(0, startcode);
    this.#put(new Uint8Array(word.buffer));
    this.v(content.length + 4);
    this.checked(content);
  }

  take(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

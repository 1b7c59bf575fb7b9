import { fileId, flag, startcodes, streamClass, type TimeBase, toMicroseconds } from "./nut.ts";
import { NEED_MORE, NutBytes } from "./nut_bytes.ts";

/** A stream in a NUT file. */
export interface NutStream {
  kind: "audio" | "video" | "other";
  timeBase: TimeBase;
  /** Samples a second, of audio. */
  sampleRate: number;
  /** Channels, of audio. */
  numberOfChannels: number;
  /** Width in pixels, of video. */
  width: number;
  /** Height in pixels, of video. */
  height: number;
}

/** A piece of a stream. */
export interface NutPacket {
  stream: NutStream;
  /** When it is heard or shown, in µs, not rounded. */
  timestampUs: number;
  /** Whether it can be decoded on its own. */
  isKey: boolean;
  /** Its bytes: a part of what was pushed, or its own. */
  data: Uint8Array;
}

interface StreamState extends NutStream {
  msbPtsShift: number;
  lastPts: number;
}

/** What a frame's first byte stands for. */
interface FrameCode {
  flags: number;
  ptsDelta: number;
  streamId: number;
  sizeMul: number;
  sizeLsb: number;
  reservedCount: number;
  headerIdx: number;
}

/** No uncompressed picture is larger: 16384 × 16384 RGBA. */
const MAX_PACKET_BYTES = 1 << 30;
const MAX_HEADER_BYTES = 1 << 20;

/**
 * Takes a NUT file piece by piece, and gives its packets. Holds the packet that is not complete.
 * Follows the specification, version 3.
 */
export class NutReader {
  #begun = false;
  #tail: Uint8Array = new Uint8Array(0);
  #skip = 0;
  #partial: { packet: NutPacket; filled: number } | undefined;
  #timeBases: TimeBase[] = [];
  #frameCodes: FrameCode[] = [];
  #elisions: Uint8Array[] = [new Uint8Array(0)];
  readonly #streams = new Map<number, StreamState>();

  /** The streams told of so far. */
  get streams(): Iterable<NutStream> {
    return this.#streams.values();
  }

  /** Whether a packet was begun but not finished. */
  get isInside(): boolean {
    return this.#partial !== undefined || this.#tail.length > 0;
  }

  /** @throws {RangeError} if it is not NUT */
  push(piece: Uint8Array): NutPacket[] {
    const packets: NutPacket[] = [];
    let input = piece;
    if (this.#partial !== undefined) {
      const { packet: { data }, filled } = this.#partial;
      const count = Math.min(data.length - filled, input.length);
      data.set(input.subarray(0, count), filled);
      this.#partial.filled += count;
      if (this.#partial.filled < data.length) return packets;
      packets.push(this.#partial.packet);
      this.#partial = undefined;
      input = input.subarray(count);
    }
    const bytes = new NutBytes(this.#tail.length === 0 ? input : joined(this.#tail, input));
    while (bytes.left > 0 && this.#partial === undefined) {
      const start = bytes.at;
      try {
        this.#step(bytes, packets);
      } catch (reason) {
        if (reason !== NEED_MORE) throw reason;
        bytes.at = start;
        break;
      }
    }
    this.#tail = bytes.bytes.subarray(bytes.at);
    return packets;
  }

  #step(bytes: NutBytes, packets: NutPacket[]): void {
    if (this.#skip > 0) {
      const over = Math.min(this.#skip, bytes.left);
      bytes.take(over);
      this.#skip -= over;
    } else if (!this.#begun) {
      const id = bytes.take(fileId.length);
      if (String.fromCharCode(...id) !== fileId) throw new RangeError("it does not begin as NUT");
      this.#begun = true;
    } else if (bytes.bytes[bytes.at] === 0x4e) {
      this.#readPacket(bytes);
    } else {
      this.#readFrame(bytes, packets);
    }
  }

  #readPacket(bytes: NutBytes): void {
    const startcode = bytes.u64();
    const length = bytes.v();
    if (length > 4096) bytes.take(4); // the header's checksum
    if (startcode === startcodes.info || startcode === startcodes.index) {
      this.#skip = length;
      return;
    }
    if (length > MAX_HEADER_BYTES) throw new RangeError(`a header of ${length} bytes is too long`);
    const content = new NutBytes(bytes.take(length));
    try {
      if (startcode === startcodes.main) this.#readMain(content);
      else if (startcode === startcodes.stream) this.#readStream(content);
      else if (startcode === startcodes.syncpoint) this.#readSyncpoint(content);
    } catch (reason) {
      if (reason !== NEED_MORE) throw reason;
      throw new RangeError("a header in it is too short");
    }
  }

  #readMain(bytes: NutBytes): void {
    const version = bytes.v();
    if (version > 3) throw new RangeError(`version ${version} of NUT is not known`);
    bytes.v(); // how many streams
    bytes.v(); // max_distance
    this.#timeBases = Array.from({ length: bytes.v() }, () => ({ num: bytes.v(), den: bytes.v() }));
    this.#frameCodes = readFrameCodes(bytes);
    for (let count = bytes.v(); count > 0; count--) this.#elisions.push(bytes.vb());
  }

  #readStream(bytes: NutBytes): void {
    const id = bytes.v();
    const kinds: Record<number, NutStream["kind"]> = {
      [streamClass.video]: "video",
      [streamClass.audio]: "audio",
    };
    const kind = kinds[bytes.v()] ?? "other";
    bytes.vb(); // fourcc
    const timeBase = this.#timeBases[bytes.v()];
    if (timeBase === undefined) throw new RangeError("a stream in it has no time base");
    const msbPtsShift = bytes.v();
    for (let skipped = 0; skipped < 3; skipped++) bytes.v(); // distance, decode delay, flags
    bytes.vb(); // codec specific data
    const [first, second, third] = kind === "other" ? [0, 0, 0] : [bytes.v(), bytes.v(), bytes.v()];
    const isAudio = kind === "audio";
    this.#streams.set(id, {
      kind,
      timeBase,
      msbPtsShift,
      lastPts: 0,
      sampleRate: isAudio ? first / second : 0,
      numberOfChannels: isAudio ? third : 0,
      width: isAudio ? 0 : first,
      height: isAudio ? 0 : second,
    });
  }

  #readSyncpoint(bytes: NutBytes): void {
    const coded = bytes.v();
    const count = this.#timeBases.length;
    const from = this.#timeBases[coded % count]!;
    for (const stream of this.#streams.values()) {
      stream.lastPts = rescale(Math.floor(coded / count), from, stream.timeBase);
    }
  }

  #readFrame(bytes: NutBytes, packets: NutPacket[]): void {
    const code = this.#frameCodes[bytes.u8()];
    if (code === undefined) throw new RangeError("a frame comes before the header");
    let { flags, streamId, reservedCount, headerIdx } = code;
    if (flags & flag.coded) flags ^= bytes.v();
    if (flags & (flag.invalid | flag.smData)) throw new RangeError("a frame in it is not valid");
    if (flags & flag.streamId) streamId = bytes.v();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      throw new RangeError(`a frame is of stream ${streamId}, which is not there`);
    }
    const pts = flags & flag.codedPts ? fullPts(bytes.v(), stream) : stream.lastPts + code.ptsDelta;
    let size = code.sizeLsb;
    if (flags & flag.sizeMsb) size += code.sizeMul * bytes.v();
    if (flags & flag.matchTime) bytes.s();
    if (flags & flag.headerIdx) headerIdx = bytes.v();
    if (flags & flag.reserved) reservedCount = bytes.v();
    for (; reservedCount > 0; reservedCount--) bytes.v();
    if (flags & flag.checksum) bytes.take(4);
    if (size > MAX_PACKET_BYTES) throw new RangeError(`a frame of ${size} bytes is too long`);
    stream.lastPts = pts; // nothing below asks for more bytes
    const timestampUs = toMicroseconds(pts, stream.timeBase);
    const packet = { stream, timestampUs, isKey: (flags & flag.key) !== 0 };
    const elision = this.#elisions[headerIdx] ?? this.#elisions[0]!;
    if (elision.length === 0 && bytes.left >= size) {
      if (size > 0) packets.push({ ...packet, data: bytes.take(size) });
      return;
    }
    const data = new Uint8Array(size);
    data.set(elision);
    const have = bytes.take(Math.min(bytes.left, size - elision.length));
    data.set(have, elision.length);
    const filled = elision.length + have.length;
    if (filled === size) packets.push({ ...packet, data });
    else this.#partial = { packet: { ...packet, data }, filled };
  }
}

function readFrameCodes(bytes: NutBytes): FrameCode[] {
  const codes: FrameCode[] = [];
  const invalid = { flags: flag.invalid, ptsDelta: 0, streamId: 0, sizeMul: 1, sizeLsb: 0 };
  let [ptsDelta, sizeMul, streamId, headerIdx] = [0, 1, 0, 0];
  while (codes.length < 256) {
    const flags = bytes.v();
    const fields = bytes.v();
    if (fields > 0) ptsDelta = bytes.s();
    if (fields > 1) sizeMul = bytes.v();
    if (fields > 2) streamId = bytes.v();
    const size = fields > 3 ? bytes.v() : 0;
    const reservedCount = fields > 4 ? bytes.v() : 0;
    const count = fields > 5 ? bytes.v() : sizeMul - size;
    if (fields > 6) bytes.s(); // match time
    if (fields > 7) headerIdx = bytes.v();
    for (let field = 8; field < fields; field++) bytes.v();
    if (count <= 0 || count > 256 - codes.length) throw new RangeError("its frame codes are wrong");
    for (let index = 0; index < count && codes.length < 256; index++) {
      if (codes.length === 0x4e) codes.push({ ...invalid, reservedCount: 0, headerIdx: 0 });
      const sizeLsb = size + index;
      codes.push({ flags, ptsDelta, streamId, sizeMul, sizeLsb, reservedCount, headerIdx });
    }
    if (codes.length === 0x4e) codes.push({ ...invalid, reservedCount: 0, headerIdx: 0 });
  }
  return codes;
}

/** The time of which only the low bits may have been coded. */
function fullPts(coded: number, { msbPtsShift, lastPts }: StreamState): number {
  const range = 2 ** msbPtsShift;
  if (coded >= range) return coded - range;
  const lowest = lastPts - Math.floor((range - 1) / 2);
  return lowest + ((coded - lowest) % range + range) % range;
}

/** A count of one time base in another, rounded down; exact, as frames are told relative to it. */
function rescale(count: number, from: TimeBase, to: TimeBase): number {
  const scaled = BigInt(count) * BigInt(from.num) * BigInt(to.den);
  return Number(scaled / (BigInt(from.den) * BigInt(to.num)));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

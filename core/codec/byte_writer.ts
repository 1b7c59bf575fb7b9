const utf8 = new TextEncoder();

/** Bytes put one after another into a buffer that grows. The buffer is handed out, never reused. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #lazyView: DataView | undefined;
  #length: number;

  /** @param room how many bytes there is room for at first, or where they go; @param start where the first goes */
  constructor(room: number | Uint8Array<ArrayBuffer> = 1024, start = 0) {
    this.#bytes = typeof room === "number" ? new Uint8Array(Math.max(room, start + 16)) : room;
    this.#length = start;
  }

  get #view(): DataView {
    return this.#lazyView ??= viewOf(this.#bytes);
  }

  /** Where the next byte goes. */
  get length(): number {
    return this.#length;
  }

  /** The buffer as it is now, with what is written up to {@linkcode ByteWriter.length}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** The bytes from `start` on, not copied. */
  subarray(start: number, end: number = this.#length): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(start, end);
  }

  /** Takes back all from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Moves the bytes from `from` on to `to`, and ends there. */
  move(from: number, to: number): void {
    const size = this.#length - from;
    this.reserve(Math.max(0, to - from));
    this.#bytes.copyWithin(to, from, from + size);
    this.#length = to + size;
  }

  /** Makes room for `count` bytes. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#lazyView = undefined;
  }

  /** Leaves a gap of `count` bytes, to be written later. */
  skip(count: number): void {
    this.reserve(count);
    this.#length += count;
  }

  u8(value: number): void {
    if (this.#length === this.#bytes.length) this.reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Writes a byte at a place that was skipped. */
  setU8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  /** Writes 32 bits, big-endian, at a place that was skipped. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** Writes the few bytes of another writer at a place that was skipped. */
  setFrom(at: number, from: ByteWriter): void {
    // for so few a loop is faster than a view of them
    for (let index = 0; index < from.#length; index++) {
      this.#bytes[at + index] = from.#bytes[index]!;
    }
  }

  u16(value: number): void {
    this.reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  i64(value: bigint): void {
    this.reserve(8);
    this.#view.setBigInt64(this.#length, value);
    this.#length += 8;
  }

  f64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  f64LittleEndian(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Writes the few bytes of another writer. */
  from(other: ByteWriter): void {
    this.reserve(other.#length);
    this.setFrom(this.#length, other);
    this.#length += other.#length;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A protobuf varint of a whole number from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Writes a text as UTF-8 and gives the number of bytes. */
  utf8(text: string): number {
    const { length } = text;
    this.reserve(3 * length);
    const bytes = this.#bytes;
    const start = this.#length;
    if (length <= 64) { // for short texts a loop is faster than the encoder
      let at = start;
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit > 0x7f) break;
        bytes[at++] = unit;
      }
      if (index === length) {
        this.#length = at;
        return length;
      }
    }
    const { written } = utf8.encodeInto(text, bytes.subarray(start));
    this.#length = start + written;
    return written;
  }
}

function viewOf({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(buffer, byteOffset, length);
}

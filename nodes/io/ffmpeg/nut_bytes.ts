/** Thrown where the bytes that are there so far end. Never leaves the reader of NUT. */
export const NEED_MORE = Symbol("need more bytes");

/** Reads NUT's numbers, one after another. */
export class NutBytes {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    if (this.at >= this.bytes.length) throw NEED_MORE;
    return this.bytes[this.at++]!;
  }

  /** A whole number of any length, seven bits a byte. */
  v(): number {
    let value = 0;
    for (let count = 0; count < 10; count++) {
      const byte = this.u8();
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
    throw new RangeError("a number in it is too long");
  }

  /** A whole number with a sign. */
  s(): number {
    const value = this.v() + 1;
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2;
  }

  /** A number of bytes, then those. */
  vb(): Uint8Array {
    return this.take(this.v());
  }

  take(length: number): Uint8Array {
    if (this.left < length) throw NEED_MORE;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u64(): bigint {
    const bytes = this.take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  }
}

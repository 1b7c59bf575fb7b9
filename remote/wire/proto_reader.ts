import { SerializationError } from "../../core/errors.ts";

const utf8 = new TextDecoder();

/** A number that is read now: a view for each would take longer. */
const double = new DataView(new ArrayBuffer(8));

/** Reads the fields of one protobuf message, without copying. */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  /** The wire type of the field that was read last. */
  #wire = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The number of the next field; 0 at the end of the message. */
  field(): number {
    if (this.#at === this.#end) return 0;
    const tag = this.varint();
    this.#wire = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed("a field has number 0");
    return field;
  }

  /** A whole number up to 2^53. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#end) throw malformed("it ends too early");
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number is above 2^53");
        return value;
      }
      scale *= 0x80;
    }
    throw malformed("a number is too long");
  }

  /** A `uint32`, `uint64`, `bool` or enum. */
  number(): number {
    this.#expect(0);
    return this.varint();
  }

  /** A `sint64` of at most 2^53 either way. */
  signed(): number {
    this.#expect(0);
    const start = this.#at;
    let small = 0;
    let scale = 1;
    for (let count = 0; count < 7 && this.#at < this.#end; count++) { // 49 bits: nearly all there are
      const byte = this.#bytes[this.#at++]!;
      small += (byte & 0x7f) * scale;
      if (byte < 0x80) return small % 2 === 0 ? small / 2 : -(small + 1) / 2;
      scale *= 0x80;
    }
    this.#at = start;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw malformed("it ends too early");
      const byte = this.#bytes[this.#at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const signed = Number((value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n);
      if (!Number.isSafeInteger(signed)) throw malformed("a timestamp is beyond 2^53");
      return signed;
    }
    throw malformed("a number is too long");
  }

  double(): number {
    this.#expect(1);
    const at = this.#advance(8);
    for (let index = 0; index < 8; index++) double.setUint8(index, this.#bytes[at + index]!);
    return double.getFloat64(0, true);
  }

  /** A view of the field's bytes. */
  bytes(): Uint8Array {
    this.#expect(2);
    const length = this.varint();
    const at = this.#advance(length);
    // not a part of a Buffer, whose slice() does not copy
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }

  text(): string {
    return utf8.decode(this.bytes());
  }

  /** A reader of the message inside this field. */
  message(): ProtoReader {
    this.#expect(2);
    const length = this.varint();
    const at = this.#advance(length);
    return new ProtoReader(this.#bytes, at, at + length);
  }

  /** The numbers of a repeated field, packed or not. @throws {SerializationError} if there are more than `max` */
  numbers(to: number[], max: number): void {
    const packed = this.#wire === 0 ? undefined : this.message();
    do {
      if (packed !== undefined && packed.#at === packed.#end) return;
      if (to.length === max) throw malformed(`a list has more than ${max} numbers`);
      to.push((packed ?? this).varint());
    } while (packed !== undefined);
  }

  /** Passes over a field that is not known. */
  skip(): void {
    if (this.#wire === 0) this.varint();
    else if (this.#wire === 1) this.#advance(8);
    else if (this.#wire === 2) this.#advance(this.varint());
    else if (this.#wire === 5) this.#advance(4);
    else throw malformed("a field is of no known wire type");
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw malformed("a field is of another type than it should be");
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw malformed("it ends too early");
    this.#at = at + length;
    return at;
  }
}

/** Bytes that are not the message that they should be. */
export function malformed(what: string, cause?: unknown): SerializationError {
  return new SerializationError(`Cannot decode message as ${what}`, { cause });
}

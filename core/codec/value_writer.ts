import { AudioFrame, EncodedFrame, type Frame, Marker, Tensor, VideoFrame } from "../frames/mod.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { explain, Unencodable } from "./explain.ts";
import { extension, typedArrays } from "./extension_types.ts";

/** How deep a value may be nested by default. */
export const MAX_DEPTH = 100;

/** What bounds the encoding of a value. */
export interface EncodeOptions {
  /** How deep objects may be nested. @default 100 */
  maxDepth?: number;
}

/**
 * Appends one value in MessagePack.
 *
 * @throws {SerializationError} naming the path of what cannot travel: a function, a symbol, a circle, an
 * object bound to this process, or one nested too deep. Nothing is appended then.
 */
export function writeValue(
  to: ByteWriter,
  value: unknown,
  { maxDepth = MAX_DEPTH }: EncodeOptions = {},
): void {
  const start = to.length;
  try {
    write(to, value, maxDepth);
  } catch (error) {
    to.truncate(start);
    throw error instanceof Unencodable ? explain(value, maxDepth) : error;
  }
}

function write(to: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case "number":
      return writeNumber(to, value);
    case "string":
      return writeText(to, value);
    case "boolean":
      return to.u8(value ? 0xc3 : 0xc2);
    case "object":
      if (value === null) return to.u8(0xc0);
      if (depth === 0) throw new Unencodable();
      if (Array.isArray(value)) return writeArray(to, value, depth - 1);
      return writeObject(to, value, depth - 1);
    case "undefined":
      return writeExtensionHeader(to, extension.undefined, 0);
    case "bigint":
      return writeBigInt(to, value);
    default:
      throw new Unencodable();
  }
}

function writeNumber(to: ByteWriter, value: number): void {
  if ((value | 0) !== value || (value === 0 && Object.is(value, -0))) {
    if (!Number.isSafeInteger(value) || value === 0) {
      to.u8(0xcb);
      return to.f64(value);
    }
    if (value > 0 && value <= 0xffffffff) {
      to.u8(0xce);
      return to.u32(value);
    }
    to.u8(0xd3);
    return to.i64(BigInt(value));
  }
  if (value >= 0) {
    if (value < 0x80) return to.u8(value);
    if (value < 0x100) {
      to.u8(0xcc);
      return to.u8(value);
    }
    if (value < 0x10000) {
      to.u8(0xcd);
      return to.u16(value);
    }
    to.u8(0xce);
    return to.u32(value);
  }
  if (value >= -0x20) return to.u8(value & 0xff);
  if (value >= -0x80) {
    to.u8(0xd0);
    return to.u8(value & 0xff);
  }
  if (value >= -0x8000) {
    to.u8(0xd1);
    return to.u16(value & 0xffff);
  }
  to.u8(0xd2);
  to.u32(value >>> 0);
}

function writeText(to: ByteWriter, text: string): void {
  const start = to.length;
  // the header's size depends on the number of bytes: guess by the letters, and move where it was wrong
  const guess = headerSize(text.length);
  to.skip(guess);
  const bytes = to.utf8(text);
  const header = headerSize(bytes);
  if (header !== guess) to.move(start + guess, start + header);
  if (header === 1) to.setU8(start, 0xa0 | bytes);
  else if (header === 2) {
    to.setU8(start, 0xd9);
    to.setU8(start + 1, bytes);
  } else if (header === 3) {
    to.setU8(start, 0xda);
    to.setU8(start + 1, bytes >>> 8);
    to.setU8(start + 2, bytes & 0xff);
  } else {
    to.setU8(start, 0xdb);
    to.setU32(start + 1, bytes);
  }
}

function headerSize(bytes: number): number {
  return bytes < 0x20 ? 1 : bytes < 0x100 ? 2 : bytes < 0x10000 ? 3 : 5;
}

function writeArray(to: ByteWriter, values: readonly unknown[], depth: number): void {
  const { length } = values;
  if (length < 0x10) to.u8(0x90 | length);
  else if (length < 0x10000) {
    to.u8(0xdc);
    to.u16(length);
  } else {
    to.u8(0xdd);
    to.u32(length);
  }
  for (let index = 0; index < length; index++) write(to, values[index], depth);
}

function writeObject(to: ByteWriter, value: object, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return writeRecord(to, value, depth);
  if (value instanceof Uint8Array) return writeBinary(to, value);
  if (ArrayBuffer.isView(value)) return writeTypedArray(to, value);
  if (isFrame(value)) return writeFrame(to, value, depth);
  if (value instanceof Date) {
    writeExtensionHeader(to, extension.date, 8);
    return to.f64(value.getTime());
  }
  if (value instanceof Map) {
    return writeExtension(to, extension.map, () => {
      for (const [key, item] of value) {
        write(to, key, depth);
        write(to, item, depth);
      }
    });
  }
  if (value instanceof Set) {
    return writeExtension(to, extension.set, () => {
      for (const item of value) write(to, item, depth);
    });
  }
  if (value instanceof RegExp) {
    return writeExtension(to, extension.regexp, () => {
      writeText(to, value.source);
      writeText(to, value.flags);
    });
  }
  if (value instanceof Error) return writeError(to, value, depth);
  if (value instanceof ArrayBuffer) {
    writeExtensionHeader(to, extension.arrayBuffer, value.byteLength);
    return to.raw(new Uint8Array(value));
  }
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return write(to, value.valueOf(), depth);
  }
  // an instance of a class travels as its own fields; what only stands for something here does not
  if (Object.prototype.toString.call(value) !== "[object Object]") throw new Unencodable();
  writeRecord(to, value, depth);
}

function writeRecord(to: ByteWriter, value: object, depth: number): void {
  const keys = Object.keys(value);
  const { length } = keys;
  if (length < 0x10) to.u8(0x80 | length);
  else if (length < 0x10000) {
    to.u8(0xde);
    to.u16(length);
  } else {
    to.u8(0xdf);
    to.u32(length);
  }
  for (let index = 0; index < length; index++) {
    const key = keys[index]!;
    writeText(to, key);
    write(to, (value as Record<string, unknown>)[key], depth);
  }
}

function writeBinary(to: ByteWriter, bytes: Uint8Array): void {
  const { length } = bytes;
  if (length < 0x100) {
    to.u8(0xc4);
    to.u8(length);
  } else if (length < 0x10000) {
    to.u8(0xc5);
    to.u16(length);
  } else {
    to.u8(0xc6);
    to.u32(length);
  }
  to.raw(bytes);
}

function writeTypedArray(to: ByteWriter, value: ArrayBufferView): void {
  const type = typedArrays.findIndex((candidate) => value instanceof candidate);
  if (type < 0) throw new Unencodable();
  writeExtensionHeader(to, extension.typedArray, 1 + value.byteLength);
  to.u8(type);
  to.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function writeBigInt(to: ByteWriter, value: bigint): void {
  let digits = (value < 0n ? -value : value).toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  const bytes = digits.length / 2;
  writeExtensionHeader(to, extension.bigint, 1 + bytes);
  to.u8(value < 0n ? 1 : 0);
  for (let index = bytes - 1; index >= 0; index--) {
    to.u8(Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
  }
}

function writeError(to: ByteWriter, error: Error, depth: number): void {
  writeExtension(to, extension.error, () => {
    writeText(to, String(error.name));
    writeText(to, String(error.message));
    write(to, typeof error.stack === "string" ? error.stack : undefined, depth);
    if ("cause" in error) write(to, error.cause, depth);
  });
}

function isFrame(value: object): value is Frame {
  return value instanceof AudioFrame || value instanceof VideoFrame ||
    value instanceof EncodedFrame || value instanceof Tensor || value instanceof Marker;
}

function writeFrame(to: ByteWriter, frame: Frame, depth: number): void {
  writeExtension(to, extension.frame, () => {
    writeText(to, frame.kind);
    for (const field of frameFields[frame.kind]) {
      write(to, (frame as unknown as Record<string, unknown>)[field], depth);
    }
  });
}

/** The fields of each kind of frame, in the order in which they travel inside a value. */
export const frameFields = {
  audio: ["timestamp", "metadata", "data", "sampleRate", "numberOfChannels"],
  video: ["timestamp", "metadata", "data", "format", "codedWidth", "codedHeight", "duration"],
  encoded: ["timestamp", "metadata", "data", "codec", "type", "duration"],
  tensor: ["timestamp", "metadata", "data", "dims"],
  marker: ["timestamp", "metadata", "data", "name"],
} as const satisfies Record<Frame["kind"], readonly string[]>;

/** An extension whose size is not known yet: with a header of the widest kind. */
function writeExtension(to: ByteWriter, type: number, body: () => void): void {
  const start = to.length;
  to.skip(6);
  body();
  to.setU8(start, 0xc9);
  to.setU32(start + 1, to.length - start - 6);
  to.setU8(start + 5, type);
}

function writeExtensionHeader(to: ByteWriter, type: number, length: number): void {
  const fixed = [1, 2, 4, 8, 16].indexOf(length);
  if (fixed >= 0) to.u8(0xd4 + fixed);
  else if (length < 0x100) {
    to.u8(0xc7);
    to.u8(length);
  } else if (length < 0x10000) {
    to.u8(0xc8);
    to.u16(length);
  } else {
    to.u8(0xc9);
    to.u32(length);
  }
  to.u8(type);
}

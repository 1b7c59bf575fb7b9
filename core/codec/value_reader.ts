import { messageOf, SerializationError } from "../errors.ts";
import { AudioFrame, EncodedFrame, type Frame, Marker, Tensor, VideoFrame } from "../frames/mod.ts";
import { type ArrayView, errorClasses, extension, typedArrays } from "./extension_types.ts";
import { frameFields, MAX_DEPTH } from "./value_writer.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Keys that were met, by a hash of their bytes; bounded by its slots and the length of a key. */
const KEY_SLOTS = 1_024;
const MAX_KEY = 24;
const keys: ({ bytes: Uint8Array; text: string } | undefined)[] = new Array(KEY_SLOTS);

/** How many values may be decoded, where nobody says. */
export const MAX_ITEMS = 1_000_000;

/** What bounds the decoding of bytes that anybody may have written. */
export interface DecodeOptions {
  /** How deep values may be nested. @default 100 */
  maxDepth?: number;
  /** How many values, those inside of others included, may be decoded. @default 1000000 */
  maxItems?: number;
  /** What is left of a number of values that several readers share, beside `maxItems` of each. @default none */
  budget?: ItemBudget;
}

/** A number of values that several readers share. */
export interface ItemBudget {
  /** How many are left. */
  items: number;
}

/**
 * Reads MessagePack values one after another. Depth and count are bounded; sizes are bounded by the
 * bytes there are, as every announced size is checked against them before anything is allocated.
 */
export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #maxDepth: number;
  readonly #budget: ItemBudget | undefined;
  #items: number;
  #at = 0;
  #end: number;

  /** @param bytes what to read; views of it may be part of the values; @param options the bounds */
  constructor(
    bytes: Uint8Array,
    { maxDepth = MAX_DEPTH, maxItems = MAX_ITEMS, budget }: DecodeOptions = {},
  ) {
    // not a Buffer, whose slice() does not copy
    this.#bytes = bytes.constructor === Uint8Array
      ? bytes
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxDepth = maxDepth;
    this.#budget = budget;
    this.#items = maxItems;
    this.#end = bytes.length;
  }

  /** Whether all bytes are read. */
  get done(): boolean {
    return this.#at === this.#end;
  }

  /**
   * Reads one value.
   *
   * @throws {SerializationError} if the bytes are no value, or one past the bounds
   */
  read(): unknown {
    const before = this.#items;
    try {
      const value = this.#read(this.#maxDepth);
      const budget = this.#budget;
      if (budget !== undefined && (budget.items -= before - this.#items) < 0) {
        throw fault("it holds too many values");
      }
      return value;
    } catch (error) {
      if (error instanceof SerializationError) throw error;
      throw fault(`${messageOf(error)}`, error);
    }
  }

  #read(depth: number): unknown {
    if (--this.#items < 0) throw fault("it holds too many values");
    const head = this.#u8();
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.#record(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#text(head & 0x1f);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#take(this.#u8()).slice();
      case 0xc5:
        return this.#take(this.#u16()).slice();
      case 0xc6:
        return this.#take(this.#u32()).slice();
      case 0xc7:
        return this.#extension(this.#u8(), depth);
      case 0xc8:
        return this.#extension(this.#u16(), depth);
      case 0xc9:
        return this.#extension(this.#u32(), depth);
      case 0xca:
        return this.#view.getFloat32(this.#advance(4));
      case 0xcb:
        return this.#view.getFloat64(this.#advance(8));
      case 0xcc:
        return this.#u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.#u32();
      case 0xcf:
        return numberOf(this.#view.getBigUint64(this.#advance(8)));
      case 0xd0:
        return this.#view.getInt8(this.#advance(1));
      case 0xd1:
        return this.#view.getInt16(this.#advance(2));
      case 0xd2:
        return this.#view.getInt32(this.#advance(4));
      case 0xd3:
        return numberOf(this.#view.getBigInt64(this.#advance(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (head - 0xd4), depth);
      case 0xd9:
        return this.#text(this.#u8());
      case 0xda:
        return this.#text(this.#u16());
      case 0xdb:
        return this.#text(this.#u32());
      case 0xdc:
        return this.#array(this.#u16(), depth);
      case 0xdd:
        return this.#array(this.#u32(), depth);
      case 0xde:
        return this.#record(this.#u16(), depth);
      case 0xdf:
        return this.#record(this.#u32(), depth);
      default:
        throw fault(`byte 0x${head.toString(16)} starts no value`);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(depth, length);
    const values: unknown[] = [];
    for (let index = 0; index < length; index++) values.push(this.#read(depth - 1));
    return values;
  }

  #record(length: number, depth: number): Record<string, unknown> {
    this.#enter(depth, 2 * length);
    const record: Record<string, unknown> = {};
    for (let index = 0; index < length; index++) {
      const key = this.#shortKey() ?? this.#read(0);
      if (typeof key !== "string" && typeof key !== "number") {
        throw fault("a key is neither text nor number");
      }
      const value = this.#read(depth - 1);
      if (key === "__proto__") {
        // an own field, as JSON.parse makes it: assigned, it would change the prototype
        Object.defineProperty(record, key, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } else record[key] = value;
    }
    return record;
  }

  /** A key that was met before: most records have the same few. `undefined` if it is none of them. */
  #shortKey(): string | undefined {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const head = bytes[this.#at]!;
    const length = head - 0xa0;
    if (length < 1 || length > MAX_KEY || start + length > this.#end) return undefined;
    const slot = (bytes[start]! * 31 + bytes[start + length - 1]! + length * 7) & (KEY_SLOTS - 1);
    const known = keys[slot];
    if (known !== undefined && known.bytes.length === length) {
      let index = 0;
      while (index < length && known.bytes[index] === bytes[start + index]) index++;
      if (index === length) {
        this.#items--;
        this.#at = start + length;
        return known.text;
      }
    }
    const text = this.#read(0) as string;
    keys[slot] = { bytes: bytes.slice(start, start + length), text };
    return text;
  }

  #text(length: number): string {
    const start = this.#advance(length);
    if (length <= 24) { // for short texts a loop is faster than the decoder
      const bytes = this.#bytes;
      let text = "";
      let at = start;
      for (; at < start + length; at++) {
        const byte = bytes[at]!;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (at === start + length) return text;
    }
    return utf8.decode(this.#bytes.subarray(start, start + length));
  }

  #extension(length: number, depth: number): unknown {
    const type = this.#u8();
    const body = this.#take(length);
    const end = this.#at;
    this.#at -= length;
    const outerEnd = this.#end;
    this.#end = end;
    const value = this.#extensionValue(type, { body, depth });
    if (type in bytesOnly) this.#at = end;
    if (this.#at !== end) throw fault(`extension ${type} has bytes left over`);
    this.#end = outerEnd;
    return value;
  }

  #extensionValue(type: number, { body, depth }: { body: Uint8Array; depth: number }): unknown {
    switch (type) {
      case extension.undefined:
        return undefined;
      case extension.bigint:
        return bigintOf(body);
      case extension.date:
        return new Date(this.#view.getFloat64(this.#advance(8)));
      case extension.map:
        return new Map(this.#pairs(depth));
      case extension.set:
        return new Set(this.#rest(depth));
      case extension.regexp:
        return regexpOf(this.#rest(depth));
      case extension.error:
        return errorOf(this.#rest(depth));
      case extension.typedArray:
        return typedArrayOf(body);
      case extension.arrayBuffer:
        return body.slice().buffer;
      case extension.frame:
        return frameOf(this.#rest(depth));
      default:
        throw fault(`extension type ${type} is not known`);
    }
  }

  /** The values up to the end of the extension. */
  #rest(depth: number): unknown[] {
    this.#enter(depth, 0);
    const values: unknown[] = [];
    while (this.#at < this.#end) values.push(this.#read(depth - 1));
    return values;
  }

  #pairs(depth: number): [unknown, unknown][] {
    this.#enter(depth, 0);
    const pairs: [unknown, unknown][] = [];
    while (this.#at < this.#end) pairs.push([this.#read(depth - 1), this.#read(depth - 1)]);
    return pairs;
  }

  #enter(depth: number, values: number): void {
    if (depth <= 0) throw fault(`it is nested more than ${this.#maxDepth} deep`);
    if (values > this.#end - this.#at) throw fault("it ends too early"); // each takes a byte at least
  }

  #u8(): number {
    const at = this.#at;
    if (at >= this.#end) throw fault("it ends too early");
    this.#at = at + 1;
    return this.#bytes[at]!;
  }

  #u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  #u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw fault("it ends too early");
    this.#at = start + length;
    return start;
  }
}

/** Extensions that are read from their bytes as a whole. */
const bytesOnly: Readonly<Record<number, true>> = {
  [extension.undefined]: true,
  [extension.bigint]: true,
  [extension.typedArray]: true,
  [extension.arrayBuffer]: true,
};

function fault(what: string, cause?: unknown): SerializationError {
  return new SerializationError(`Cannot decode value as ${what}`, { cause });
}

function numberOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function bigintOf(bytes: Uint8Array): bigint {
  const sign = bytes[0];
  if (bytes.length < 2 || bytes.length > 65_537 || (sign !== 0 && sign !== 1)) {
    throw fault("its BigInt is none");
  }
  const magnitude = BigInt(`0x${bytes.slice(1).reverse().toHex()}`);
  return sign === 1 ? -magnitude : magnitude;
}

function regexpOf([source, flags, ...rest]: unknown[]): RegExp {
  if (typeof source !== "string" || typeof flags !== "string" || rest.length > 0) {
    throw fault("its RegExp is none");
  }
  return new RegExp(source, flags);
}

function errorOf([name, message, stack, ...rest]: unknown[]): Error {
  if (typeof name !== "string" || typeof message !== "string" || rest.length > 1) {
    throw fault("its Error is none");
  }
  const type = errorClasses.get(name) ?? Error;
  const error = rest.length === 1 ? new type(message, { cause: rest[0] }) : new type(message);
  const hidden = { enumerable: false, configurable: true, writable: true };
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, ...hidden });
  if (typeof stack === "string") Object.defineProperty(error, "stack", { value: stack, ...hidden });
  return error;
}

function typedArrayOf(bytes: Uint8Array): ArrayView {
  const type = typedArrays[bytes[0] ?? -1];
  if (type === undefined) throw fault("its typed array is of no known type");
  return new (type as new (buffer: ArrayBufferLike) => ArrayView)(bytes.slice(1).buffer);
}

function frameOf([kind, ...values]: unknown[]): Frame {
  if (typeof kind !== "string" || !Object.hasOwn(frameFields, kind)) {
    throw fault("its frame is of no known kind");
  }
  const fields = frameFields[kind as Frame["kind"]];
  if (values.length !== fields.length) throw fault(`its ${kind} frame has other fields`);
  const init = Object.fromEntries(fields.map((field, index) => [field, values[index]])) as never;
  switch (kind as Frame["kind"]) {
    case "audio":
      return new AudioFrame(init);
    case "video":
      return new VideoFrame(init);
    case "encoded":
      return new EncodedFrame(init);
    case "tensor":
      return new Tensor(init);
    case "marker":
      return new Marker(init);
  }
}

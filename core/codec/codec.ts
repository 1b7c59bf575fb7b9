import { SerializationError } from "../errors.ts";
import { ByteWriter } from "./byte_writer.ts";
import { type DecodeOptions, type ItemBudget, ValueReader } from "./value_reader.ts";
import { type EncodeOptions, writeValue } from "./value_writer.ts";

export type { DecodeOptions, EncodeOptions, ItemBudget };

/**
 * A value as MessagePack, with extension types for what JSON does not have: `undefined`, `BigInt`, `Date`,
 * `Map`, `Set`, `RegExp`, `Error`, `ArrayBuffer`, typed arrays and frames. As with `structuredClone`, an
 * instance of another class becomes a plain object of its own enumerable fields.
 *
 * @param value what to encode
 * @param options the bounds
 * @throws {SerializationError} naming the path of what cannot travel: a function, a symbol, a circle, an
 * object bound to this process, or one nested too deep
 *
 * @example
 * ```ts
 * import { decodeValue, encodeValue } from "@remotemedia/sdk";
 *
 * const bytes = encodeValue({ at: new Date(0), tags: new Set(["a"]), none: undefined });
 * console.log(decodeValue(bytes)); // { at: 1970-01-01T00:00:00.000Z, tags: Set(1) { "a" }, none: undefined }
 * ```
 */
export function encodeValue(value: unknown, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256);
  writeValue(writer, value, options);
  return writer.subarray(0);
}

/**
 * The value that {@linkcode encodeValue} made the bytes of. Bounded in depth and count, so that bytes from
 * anybody can be decoded.
 *
 * @param bytes one value, and nothing after it
 * @param options the bounds
 * @throws {SerializationError} if the bytes are not one value, or one past the bounds
 *
 * @example
 * ```ts
 * import { decodeValue } from "@remotemedia/sdk";
 *
 * console.log(decodeValue(new Uint8Array([0x92, 1, 2]))); // [1, 2]
 * ```
 */
export function decodeValue(bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  const reader = new ValueReader(bytes, options);
  const value = reader.read();
  if (!reader.done) throw new SerializationError("Cannot decode value as bytes are left over");
  return value;
}

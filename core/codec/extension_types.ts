/** The MessagePack extension types of the value codec. docs/protocol.md lists them for other languages. */
export const extension = {
  /** `undefined`; no bytes. */
  undefined: 1,
  /** `BigInt`: a sign byte (1 for negative), then the magnitude, little-endian. */
  bigint: 2,
  /** `Date`: milliseconds since 1970 UTC as float64, big-endian; NaN for an invalid date. */
  date: 3,
  /** `Map`: keys and values in turn, as MessagePack. */
  map: 4,
  /** `Set`: values, as MessagePack. */
  set: 5,
  /** `RegExp`: source and flags, as MessagePack. */
  regexp: 6,
  /** `Error`: name, message, stack and cause, as MessagePack. */
  error: 7,
  /** A typed array: a byte for its type, then its elements, little-endian. */
  typedArray: 8,
  /** `ArrayBuffer`. */
  arrayBuffer: 9,
  /** A frame: its kind, then its fields in turn, as MessagePack. */
  frame: 10,
} as const;

/** The classes of typed arrays; the index is their type byte. `Uint8Array` travels as MessagePack `bin`. */
export const typedArrays = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const;

/** What can be made of the bytes of a typed array. */
export type ArrayView = InstanceType<typeof typedArrays[number]>;

/** The classes of built-in errors, by name. */
export const errorClasses: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((
    type,
  ) => [type.name, type]),
);

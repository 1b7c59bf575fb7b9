import { cannot } from "../errors.ts";
import { checkTimestamp, checkWhole, type FrameInit, type Metadata, noMetadata } from "./_frame.ts";

/** The array of each element type of a {@linkcode Tensor}, by ONNX's word for it. */
export interface TensorArrays {
  /** 32-bit floating point. */
  float32: Float32Array;
  /** 64-bit floating point. */
  float64: Float64Array;
  /** 8-bit signed. */
  int8: Int8Array;
  /** 8-bit unsigned. */
  uint8: Uint8Array;
  /** 16-bit signed. */
  int16: Int16Array;
  /** 16-bit unsigned. */
  uint16: Uint16Array;
  /** 32-bit signed. */
  int32: Int32Array;
  /** 32-bit unsigned. */
  uint32: Uint32Array;
  /** 64-bit signed. */
  int64: BigInt64Array;
  /** 64-bit unsigned. */
  uint64: BigUint64Array;
}

/** The element types of a {@linkcode Tensor}, in ONNX's words. */
export type TensorType = keyof TensorArrays;

/** The array of some element type. */
export type TensorData = TensorArrays[TensorType];

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** The element types, as a list. */
export const tensorTypes: readonly TensorType[] = Object.keys(arrays) as TensorType[];

/** What a {@linkcode Tensor} is made of. */
export interface TensorInit extends FrameInit {
  /** The elements, row-major; the array's class tells their type. */
  data: TensorData;
  /** The size along each axis. Empty for a single number. */
  dims: readonly number[];
}

/**
 * An array of numbers with a shape, as a model takes and gives it.
 *
 * @example
 * ```ts
 * import { Tensor } from "@remotemedia/sdk";
 *
 * const tensor = new Tensor({ data: new Float32Array(6), dims: [2, 3], timestamp: 0 });
 * console.log(tensor.type); // "float32"
 * ```
 */
export class Tensor {
  /** Tells the kinds of frames apart. */
  readonly kind = "tensor";
  /** The elements, row-major. */
  readonly data: TensorData;
  /** The type of the elements. */
  readonly type: TensorType;
  /** The size along each axis. */
  readonly dims: readonly number[];
  /** When it was valid, in µs, a whole number. */
  readonly timestamp: number;
  /** Whatever else travels with it. */
  readonly metadata: Metadata;

  /**
   * Checks and keeps what it is given; copies nothing.
   *
   * @param init the elements and their shape
   * @throws {TypeError} if `data` is not a typed array that a tensor can have
   * @throws {RangeError} if `dims` do not multiply to the length of `data`
   */
  constructor({ data, dims, timestamp = 0, metadata = noMetadata }: TensorInit) {
    const action = "create Tensor";
    const type = tensorTypes.find((name) => data instanceof arrays[name]);
    if (type === undefined) {
      const rule = `data must be a typed array of ${tensorTypes.join(", ")}`;
      throw new TypeError(cannot(action, { rule, value: data }));
    }
    const length = dims.reduce((all, dim) => all * checkWhole(action, "each of dims", dim, 0), 1);
    if (length !== data.length) {
      const rule = `dims [${dims.join(", ")}] must multiply to the length of data`;
      throw new RangeError(cannot(action, { rule, value: data.length }));
    }
    this.data = data;
    this.type = type;
    this.dims = [...dims];
    this.timestamp = checkTimestamp(action, timestamp);
    this.metadata = metadata;
  }
}

/** An array of the given type over the given bytes, not copied where they are aligned. */
export function tensorDataOf(type: TensorType, bytes: Uint8Array): TensorData {
  const array = arrays[type];
  const size = array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { cannot } from "../../core/errors.ts";
import {
  Tensor,
  type TensorArrays,
  type TensorType,
  tensorTypes,
} from "../../core/frames/tensor.ts";
import type { OnnxRuntime } from "./_onnx_session.ts";

/** Tensors by the names that a model has for them. */
export type NamedTensors = Record<string, Tensor>;

/** What a model says of an input: a size that is free is a text. */
export interface ModelInput {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** The inputs of a model. */
export function inputsOf(session: InferenceSession): ModelInput[] {
  return session.inputMetadata.map((input) =>
    input.isTensor
      ? { name: input.name, type: input.type, shape: input.shape }
      : { name: input.name, type: "no tensor", shape: [] }
  );
}

/** Types of a model that a {@linkcode Tensor} does not have, with the one that stands for it. */
const standIns: Record<string, TensorType> = { float16: "float32", bool: "uint8" };

/**
 * Checks a tensor against what a model says of its input.
 *
 * @throws {TypeError} if its type or the number of its dimensions differs
 * @throws {RangeError} if a dimension differs that is not free
 */
export function checkInput(owner: string, tensor: Tensor, { name, type, shape }: ModelInput): void {
  const action = `run ${owner}`;
  const wanted = standIns[type] ?? type;
  if (tensor.type !== wanted) {
    const rule = `input "${name}" must be ${wanted}`;
    throw new TypeError(cannot(action, { rule, value: tensor.type }));
  }
  const fits = shape.length === tensor.dims.length &&
    shape.every((dim, axis) => typeof dim === "string" || dim === tensor.dims[axis]);
  if (fits) return;
  const sizes = shape.map((dim) => typeof dim === "number" ? dim : dim || "any").join(", ");
  const rule = `input "${name}" must have the shape [${sizes}]`;
  const value = `[${tensor.dims.join(", ")}]`;
  const Fault = shape.length === tensor.dims.length ? RangeError : TypeError;
  throw new Fault(cannot(action, { rule, value }));
}

/** A tensor of onnxruntime over the same elements; float16 and bool are made of float32 and uint8. */
export function toOrt({ Tensor }: OnnxRuntime, tensor: Tensor, type: string): OrtTensor {
  const { data, dims } = tensor;
  if (type === "float16") {
    const halves = new Uint16Array(Float16Array.from(data as Float32Array).buffer);
    const half = new Tensor("float16", halves as never, dims);
    // Deno does not hand a Float16Array on to native code, so it gets the same bits as whole numbers
    return Object.defineProperty(half, "data", { value: halves });
  }
  if (type === "bool") {
    return new Tensor("bool", (data as Uint8Array).map((value) => value === 0 ? 0 : 1), dims);
  }
  return new Tensor(tensor.type, data as TensorArrays["float32"] as never, dims) as OrtTensor;
}

/**
 * A {@linkcode Tensor} over what a model gave; float16 becomes float32, bool uint8.
 *
 * @throws {TypeError} if it has a type that cannot flow, such as text
 */
export function fromOrt(owner: string, name: string, tensor: OrtTensor): Tensor {
  const { type, dims } = tensor;
  if (type === "float16") {
    return new Tensor({ data: Float32Array.from(tensor.data as unknown as Float16Array), dims });
  }
  if (type !== "bool" && !tensorTypes.includes(type as TensorType)) {
    const rule = `output "${name}" must be made of numbers`;
    throw new TypeError(cannot(`run ${owner}`, { rule, value: type }));
  }
  return new Tensor({ data: tensor.data as Float32Array, dims });
}

/** An input full of zeros, with 1 for each size that is free; `undefined` for a type that cannot flow. */
export function blankInput(input: ModelInput, dims?: readonly number[]): Tensor | undefined {
  const type = (standIns[input.type] ?? input.type) as TensorType;
  if (!tensorTypes.includes(type)) return undefined;
  const shape = dims ?? input.shape.map((dim) => typeof dim === "number" ? dim : 1);
  const length = shape.reduce((all, dim) => all * dim, 1);
  const empty = { float32: Float32Array, float64: Float64Array, int8: Int8Array } as const;
  const arrays = {
    ...empty,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    int64: BigInt64Array,
    uint64: BigUint64Array,
  };
  return new Tensor({ data: new arrays[type](length), dims: shape });
}

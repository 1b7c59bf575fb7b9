import { Tensor, type TensorData } from "../../core/frames/tensor.ts";

/** Puts tensors of one type together along an axis; their other dimensions must be the same. */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (tensors.length === 1) return first!;
  const dims = [...first!.dims];
  dims[axis] = tensors.reduce((all, each) => all + each.dims[axis]!, 0);
  const total = dims.reduce((all, dim) => all * dim, 1);
  const data = new (first!.data.constructor as new (length: number) => TensorData)(total);
  const outer = product(dims.slice(0, axis));
  const row = total / Math.max(outer, 1);
  let offset = 0;
  for (const each of tensors) {
    const part = each.data.length / Math.max(outer, 1);
    for (let at = 0; at < outer; at++) {
      // all are of one type, which the caller has checked
      data.set(each.data.subarray(at * part, (at + 1) * part) as never, at * row + offset);
    }
    offset += part;
  }
  return new Tensor({ data, dims });
}

/** Takes tensors apart along an axis: the reverse of {@linkcode stack}. */
export function unstack(tensor: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  if (sizes.length === 1) return [tensor];
  const { data, dims } = tensor;
  const outer = product(dims.slice(0, axis));
  const inner = product(dims.slice(axis + 1));
  const row = dims[axis]! * inner;
  let offset = 0;
  return sizes.map((size) => {
    const part = size * inner;
    const piece = new (data.constructor as new (length: number) => TensorData)(outer * part);
    for (let at = 0; at < outer; at++) {
      const from = at * row + offset;
      piece.set(data.subarray(from, from + part) as never, at * part);
    }
    offset += part;
    return new Tensor({ data: piece, dims: dims.with(axis, size) });
  });
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}

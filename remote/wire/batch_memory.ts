import type { Buffer } from "node:buffer";

/** Room of small batches is cut from slabs of this many bytes: making a buffer takes longer than filling it. */
const SLAB_BYTES = 64 * 1024;

/** The most buffers of large batches that wait to be used again, and bytes of all of them. */
const MAX_SPARES = 4;
const MAX_SPARE_BYTES = 4 * 2 ** 20;

let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

/**
 * Memory of the batches of one writer. New memory is zeroed and mapped page by page, which takes six times as
 * long as filling it, so that of large batches is used again. Holds at most 4 buffers of at most 4 MiB.
 */
export class BatchMemory {
  readonly #spares: Uint8Array<ArrayBuffer>[] = [];
  #spareBytes = 0;

  /** Room for a batch of about `size` bytes. A small batch that is kept keeps at most its slab. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size <= SLAB_BYTES / 8) return ofSlab(size);
    for (let spare = this.#spares.pop(); spare !== undefined; spare = this.#spares.pop()) {
      this.#spareBytes -= spare.length;
      if (spare.length >= size && spare.length <= 2 * size) return spare;
    }
    return new Uint8Array(size);
  }

  /** Takes back the memory of a message: whoever had it has no use for it any more. */
  give({ buffer }: Buffer<ArrayBuffer>): void {
    const bytes = buffer.byteLength;
    if (bytes <= SLAB_BYTES || this.#spares.length === MAX_SPARES) return;
    if (this.#spareBytes + bytes > MAX_SPARE_BYTES) return;
    this.#spares.push(new Uint8Array(buffer));
    this.#spareBytes += bytes;
  }
}

function ofSlab(size: number): Uint8Array<ArrayBuffer> {
  if (slabUsed + size > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const room = slab.subarray(slabUsed, slabUsed + size);
  slabUsed += size + 7 & ~7;
  return room;
}

import { messageOf, SerializationError } from "../../core/errors.ts";
import {
  AudioFrame,
  EncodedFrame,
  type Frame,
  type Marker,
  Tensor,
  VideoFrame,
} from "../../core/frames/mod.ts";
import type { Fields } from "./_fields.ts";

/** A message on its way: its fields as MessagePack, and behind them the samples of its frames as they are. */
export interface Packet {
  /** The fields. */
  head: Uint8Array;
  /** The blobs, each filled up to a multiple of 8 bytes. */
  tail: readonly Uint8Array[];
}

/** Arrays up to this size, in bytes, are copied into the fields: that costs less than a write of their own. */
const SMALL = 4096;
const ALIGNMENT = 8;

const arrays = [
  Uint8Array,
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
] as const;

const kinds = ["audio", "video", "encoded", "tensor"] as const;

const padding = new Uint8Array(ALIGNMENT);

/** Puts a frame's samples into the tail. Gives the fields that stand for the frame, if its samples are many. */
export function packFrame(value: unknown, tail: Uint8Array[]): unknown[] | undefined {
  if (!isFrame(value) || value.data.byteLength <= SMALL) return undefined;
  const { data, ...init } = value;
  const type = arrays.findIndex((array) => data instanceof array);
  if (type < 0 || !(data.buffer instanceof ArrayBuffer)) return undefined;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  tail.push(bytes);
  const over = bytes.length % ALIGNMENT;
  if (over > 0) tail.push(padding.subarray(over));
  return [kinds.indexOf(value.kind), type, bytes.length, init];
}

/** Takes blobs out of the tail of a message, one after another. */
export class BlobReader {
  readonly #tail: Uint8Array;
  readonly #owned: boolean;
  #at = 0;

  /** @param tail the blobs; @param owned whether frames may keep views of it, so that nothing is copied */
  constructor(tail: Uint8Array, owned: boolean) {
    this.#tail = tail;
    this.#owned = owned;
  }

  /** All of its bytes. */
  get size(): number {
    return this.#tail.length;
  }

  /** A frame of its fields and the next blob. @throws {SerializationError} if it is none */
  frame(fields: Fields): Frame {
    const kind = kinds[fields.count(kinds.length - 1)]!;
    const array = arrays[fields.count(arrays.length - 1)]!;
    const bytes = this.#take(fields.count());
    const init = fields.next();
    try {
      const data = new array(
        bytes.buffer as ArrayBuffer,
        bytes.byteOffset,
        bytes.length / array.BYTES_PER_ELEMENT,
      );
      return frameOf(kind, { ...init as object, data });
    } catch (cause) {
      throw new SerializationError(
        `Cannot decode message as a frame is none: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
  }

  /** All blobs must have been taken. */
  end(): void {
    if (this.#at !== this.#tail.length) {
      throw new SerializationError("Cannot decode message as blobs are left over");
    }
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    const next = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (next > this.#tail.length) {
      throw new SerializationError("Cannot decode message as a blob is missing");
    }
    const bytes = this.#tail.subarray(this.#at, end);
    this.#at = next;
    return this.#owned ? bytes : bytes.slice();
  }
}

function isFrame(value: unknown): value is Exclude<Frame, Marker> {
  return value instanceof AudioFrame || value instanceof VideoFrame ||
    value instanceof EncodedFrame || value instanceof Tensor;
}

function frameOf(kind: typeof kinds[number], init: object): Frame {
  switch (kind) {
    case "audio":
      return new AudioFrame(init as never);
    case "video":
      return new VideoFrame(init as never);
    case "encoded":
      return new EncodedFrame(init as never);
    case "tensor":
      return new Tensor(init as never);
  }
}

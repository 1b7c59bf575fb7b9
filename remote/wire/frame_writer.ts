import { ByteWriter } from "../../core/codec/byte_writer.ts";
import { encodeValue } from "../../core/codec/mod.ts";
import {
  AudioFrame,
  EncodedFrame,
  type Frame,
  Marker,
  pixelFormats,
  Tensor,
  tensorTypes,
  VideoFrame,
} from "../../core/frames/mod.ts";

const none = new Uint8Array(0);

/** The fields before the data of the frame that is written now: one buffer for all frames. */
const head = new ByteWriter(256);

/** The field of the `Chunk` message that holds each kind of frame. */
const chunkField = { audio: 2, video: 3, encoded: 4, tensor: 5, marker: 6 } as const;

/** Whether a chunk is a frame, and so has a message of its own. */
export function isFrame(chunk: unknown): chunk is Frame {
  return chunk instanceof AudioFrame || chunk instanceof Marker || chunk instanceof VideoFrame ||
    chunk instanceof EncodedFrame || chunk instanceof Tensor;
}

/** Appends a frame as field 3, `chunks`, of a `ChunkBatch`. The samples are copied once, into place. */
export function writeFrame(to: ByteWriter, frame: Frame): void {
  const data = writeHead(frame);
  const body = head.length + (data.length === 0 ? 0 : 1 + varintSize(data.length) + data.length);
  to.reserve(body + 32);
  to.u8(0x1a);
  to.varint(1 + varintSize(body) + body);
  to.u8(chunkField[frame.kind] << 3 | 2);
  to.varint(body);
  to.from(head);
  if (data.length === 0) return;
  to.u8(dataField[frame.kind] << 3 | 2);
  to.varint(data.length);
  to.raw(data);
}

/** The last field of each frame's message: its samples, pixels, packet, elements or value. */
const dataField = { audio: 5, video: 7, encoded: 6, tensor: 5, marker: 4 } as const;

/** The bytes that a varint takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes all fields before the data, and gives the data. */
function writeHead(frame: Frame): Uint8Array {
  head.truncate(0);
  if (frame.timestamp !== 0) signedField(head, 1, frame.timestamp);
  switch (frame.kind) {
    case "audio":
      head.u8(0x11);
      head.f64LittleEndian(frame.sampleRate);
      numberField(head, 3, frame.numberOfChannels);
      bytesField(head, 4, metadataBytes(frame));
      return bytesOf(frame.data);
    case "video":
      if (frame.duration !== undefined) signedField(head, 2, frame.duration);
      numberField(head, 3, pixelFormats.indexOf(frame.format) + 1);
      numberField(head, 4, frame.codedWidth);
      numberField(head, 5, frame.codedHeight);
      bytesField(head, 6, metadataBytes(frame));
      return frame.data;
    case "encoded":
      if (frame.duration !== undefined) signedField(head, 2, frame.duration);
      textField(head, 3, frame.codec);
      numberField(head, 4, frame.type === "delta" ? 1 : 0);
      bytesField(head, 5, metadataBytes(frame));
      return frame.data;
    case "tensor": {
      numberField(head, 2, tensorTypes.indexOf(frame.type) + 1);
      const dims = new ByteWriter(16);
      for (const dim of frame.dims) dims.varint(dim);
      bytesField(head, 3, dims.subarray(0));
      bytesField(head, 4, metadataBytes(frame));
      return bytesOf(frame.data);
    }
    case "marker":
      textField(head, 2, frame.name);
      bytesField(head, 3, metadataBytes(frame));
      return frame.data === undefined ? none : encodeValue(frame.data);
  }
}

function metadataBytes({ metadata }: Frame): Uint8Array {
  for (const _key in metadata) return encodeValue(metadata);
  return none;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function numberField(to: ByteWriter, field: number, value: number): void {
  if (value === 0) return;
  to.u8(field << 3);
  to.varint(value);
}

function textField(to: ByteWriter, field: number, text: string): void {
  bytesField(to, field, new TextEncoder().encode(text));
}

function bytesField(to: ByteWriter, field: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  to.u8(field << 3 | 2);
  to.varint(bytes.length);
  to.raw(bytes);
}

function signedField(to: ByteWriter, field: number, value: number): void {
  to.u8(field << 3);
  if (Math.abs(value) < 2 ** 51) return to.varint(value < 0 ? -2 * value - 1 : 2 * value);
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) to.u8(Number(rest & 0x7fn) | 0x80);
  to.u8(Number(rest));
}

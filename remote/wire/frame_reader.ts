import { type DecodeOptions, ValueReader } from "../../core/codec/value_reader.ts";
import { messageOf, SerializationError } from "../../core/errors.ts";
import {
  AudioFrame,
  EncodedFrame,
  type Frame,
  Marker,
  pixelFormats,
  Tensor,
  tensorDataOf,
  tensorTypes,
  VideoFrame,
} from "../../core/frames/mod.ts";
import { malformed, type ProtoReader } from "./proto_reader.ts";

/** Bytes below which those of a message with more in it are copied: a small frame is not to keep a large buffer. */
const COPY_BELOW = 32 * 1024;

/** Dimensions of a tensor; those of hostile messages would be millions. */
const MAX_DIMS = 1_024;

const none: Uint8Array = new Uint8Array(0);

/**
 * Reads a frame from its message.
 *
 * @param field the field of `Chunk` that it stands in
 * @throws {SerializationError} if the message is malformed, or the frame cannot be
 */
export function readFrame(field: number, reader: ProtoReader, options: DecodeOptions): Frame {
  try {
    if (field === 2) return readAudio(reader, options);
    if (field === 3) return readVideo(reader, options);
    if (field === 4) return readEncoded(reader, options);
    if (field === 5) return readTensor(reader, options);
    return readMarker(reader, options);
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    throw malformed(`a frame in it cannot be: ${messageOf(error)}`, error);
  }
}

function readAudio(reader: ProtoReader, options: DecodeOptions): AudioFrame {
  let [timestamp, sampleRate, numberOfChannels] = [0, 0, 0];
  let metadata: Record<string, unknown> | undefined;
  let data = none;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) timestamp = reader.signed();
    else if (field === 2) sampleRate = reader.double();
    else if (field === 3) numberOfChannels = reader.number();
    else if (field === 4) metadata = readMetadata(reader.bytes(), options);
    else if (field === 5) data = reader.bytes();
    else reader.skip();
  }
  const samples = floatsOf(data);
  return new AudioFrame({ data: samples, sampleRate, numberOfChannels, timestamp, metadata });
}

function readVideo(reader: ProtoReader, options: DecodeOptions): VideoFrame {
  let [timestamp, format, codedWidth, codedHeight] = [0, 0, 0, 0];
  let duration: number | undefined;
  let metadata: Record<string, unknown> | undefined;
  let data = none;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) timestamp = reader.signed();
    else if (field === 2) duration = reader.signed();
    else if (field === 3) format = reader.number();
    else if (field === 4) codedWidth = reader.number();
    else if (field === 5) codedHeight = reader.number();
    else if (field === 6) metadata = readMetadata(reader.bytes(), options);
    else if (field === 7) data = reader.bytes();
    else reader.skip();
  }
  const layout = pixelFormats[format - 1];
  if (layout === undefined) throw malformed(`pixel format ${format} is not known`);
  const init = { format: layout, codedWidth, codedHeight, timestamp, duration, metadata };
  return new VideoFrame({ data: ownBytes(data), ...init });
}

function readEncoded(reader: ProtoReader, options: DecodeOptions): EncodedFrame {
  let [timestamp, delta, codec] = [0, 0, ""];
  let duration: number | undefined;
  let metadata: Record<string, unknown> | undefined;
  let data = none;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) timestamp = reader.signed();
    else if (field === 2) duration = reader.signed();
    else if (field === 3) codec = reader.text();
    else if (field === 4) delta = reader.number();
    else if (field === 5) metadata = readMetadata(reader.bytes(), options);
    else if (field === 6) data = reader.bytes();
    else reader.skip();
  }
  const type = delta === 0 ? "key" : "delta";
  return new EncodedFrame({ data: ownBytes(data), codec, type, timestamp, duration, metadata });
}

function readTensor(reader: ProtoReader, options: DecodeOptions): Tensor {
  let [timestamp, type] = [0, 0];
  const dims: number[] = [];
  let metadata: Record<string, unknown> | undefined;
  let data = none;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) timestamp = reader.signed();
    else if (field === 2) type = reader.number();
    else if (field === 3) reader.numbers(dims, MAX_DIMS);
    else if (field === 4) metadata = readMetadata(reader.bytes(), options);
    else if (field === 5) data = reader.bytes();
    else reader.skip();
  }
  const elements = tensorTypes[type - 1];
  if (elements === undefined) throw malformed(`tensor type ${type} is not known`);
  const bytes = ownBytes(data);
  return new Tensor({ data: tensorDataOf(elements, bytes), dims, timestamp, metadata });
}

function readMarker(reader: ProtoReader, options: DecodeOptions): Marker {
  let [timestamp, name] = [0, ""];
  let metadata: Record<string, unknown> | undefined;
  let data: unknown;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) timestamp = reader.signed();
    else if (field === 2) name = reader.text();
    else if (field === 3) metadata = readMetadata(reader.bytes(), options);
    else if (field === 4) data = readOne(reader.bytes(), options);
    else reader.skip();
  }
  return new Marker({ name, data, timestamp, metadata });
}

function readMetadata(bytes: Uint8Array, options: DecodeOptions): Record<string, unknown> {
  const metadata = readOne(bytes, options);
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw malformed("a frame's metadata is no map");
  }
  return metadata as Record<string, unknown>;
}

function readOne(bytes: Uint8Array, options: DecodeOptions): unknown {
  const reader = new ValueReader(bytes, options);
  const value = reader.read();
  if (!reader.done) throw malformed("a frame's value has bytes left over");
  return value;
}

/** Bytes that may be kept: those that are few in a large message are copied, others are views of it. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return mayView(bytes) ? bytes : bytes.slice();
}

/** Whether a frame that keeps the whole message keeps not much more than its data. */
function mayView({ length, buffer }: Uint8Array): boolean {
  return length >= COPY_BELOW || 2 * length >= buffer.byteLength;
}

/** Samples over the message's bytes where those may be kept and are aligned, else over a copy. */
function floatsOf(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw malformed("its samples are not a whole number of float32");
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset % 4 === 0 && mayView(bytes)) {
    return new Float32Array(buffer, byteOffset, length / 4);
  }
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

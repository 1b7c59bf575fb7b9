import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AudioFrame, EncodedFrame, Marker, Tensor, VideoFrame } from "../../core/frames/mod.ts";
import { encodeValue } from "../../core/codec/mod.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  ExecuteRequestSchema,
  StreamRequestSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { BatchWriter } from "../../remote/wire/batch_writer.ts";
import { writeRequest, writeSpec } from "../../remote/wire/messages.ts";

const metadata = { speaker: "a", at: new Date(5), tags: new Set(["x", 1n]) };

/** Chunks of every kind. */
const chunks: readonly unknown[] = [
  { a: [1, "b", null, undefined, true, -5, 2 ** 40, 0.5], b: new Map([["k", /x+/gi]]) },
  [new Error("e", { cause: new RangeError("c") }), new Float32Array(3), new ArrayBuffer(4), 9n],
  new AudioFrame({ data: new Float32Array(8), sampleRate: 16_000, timestamp: -3, metadata }),
  new VideoFrame({ data: new Uint8Array(16), format: "RGBA", codedWidth: 2, codedHeight: 2 }),
  new EncodedFrame({ data: new Uint8Array(9), codec: "opus", type: "delta", duration: 20_000 }),
  new Tensor({ data: new Int32Array(6), dims: [2, 3], metadata }),
  new Marker({ name: "m", data: { id: 3n, frame: new Marker({ name: "n" }) } }),
];

function batchOf(list: readonly unknown[]): Uint8Array {
  const writer = new BatchWriter();
  for (const chunk of list) writer.add(chunk);
  return new Uint8Array(writer.finish(1, AckRequest.SNAPSHOT).message);
}

/** A segment that takes anything. */
const segment = [
  writeSpec({ name: "a", type: "PassThrough", options: {}, queue: { size: 4, overflow: "block" } }),
  writeSpec({ name: "b", type: "Numbered", options: {}, concurrency: 1 }),
];

/** An `Open` of a segment that takes anything. */
export const validOpen: Uint8Array = writeRequest({
  case: "open",
  value: {
    protocolVersion: 1,
    segment,
    session: "fuzz",
    limits: { outputWindow: 64, inputWindow: 64, outputBytes: 100_000n },
    resume: { inputSeq: 0n, outputSeq: 0n, states: [{ node: "b", state: encodeValue(4) }] },
  },
});

/** Valid `StreamRequest`s, at least one of every kind. */
export const validRequests: readonly Uint8Array[] = [
  validOpen,
  ...chunks.map((chunk) => batchOf([chunk])),
  batchOf(chunks),
  batchOf(Array.from({ length: 50 }, (_, index) => index)),
  writeRequest({ case: "interrupt", value: { id: 77n } }),
  writeRequest({ case: "credit", value: { outputSeq: 9n, outputBytes: 300n } }),
  writeRequest({ case: "finish", value: {} }),
];

/** A valid `ExecuteRequest`. */
export const validExecute: Uint8Array = (() => {
  const { message } = fromBinary(StreamRequestSchema, batchOf(chunks));
  const list = message.case === "chunks" ? message.value.chunks : [];
  const request = create(ExecuteRequestSchema, { protocolVersion: 1, segment, chunks: list });
  return toBinary(ExecuteRequestSchema, request);
})();

/** Numbers below 1 that a seed decides (mulberry32, Tommy Ettinger). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that start long, deep or large things in MessagePack and protobuf. */
const nasty = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x91, 0xc1, 0xc6, 0xc9, 0xdb, 0xdd, 0xdf, 0xff];

/** Changes a message in one to four of many ways: most of what comes out is wrong in one place. */
export function mutate(
  seeds: readonly Uint8Array[],
  random: () => number,
): Uint8Array {
  const below = (count: number) => Math.floor(random() * count);
  const any = () => seeds[below(seeds.length)]!;
  let bytes: Uint8Array = any().slice();
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(bytes.length);
    switch (below(9)) {
      case 0: // a bit
        if (bytes.length > 0) bytes[at]! ^= 1 << below(8);
        break;
      case 1: // a byte of any kind
        if (bytes.length > 0) bytes[at] = below(256);
        break;
      case 2: // the start of something long
        if (bytes.length > 0) bytes[at] = nasty[below(nasty.length)]!;
        break;
      case 3: // the end is missing
        bytes = bytes.slice(0, at);
        break;
      case 4: { // the rest of another
        const other = any();
        bytes = joined(bytes.subarray(0, at), other.subarray(below(other.length)));
        break;
      }
      case 5: { // a piece twice
        const end = at + below(bytes.length - at);
        bytes = joined(bytes.subarray(0, end), bytes.subarray(at));
        break;
      }
      case 6: // a number or length that is a lie
        bytes = joined(bytes.subarray(0, at), varintOf(2 ** below(64)), bytes.subarray(at + 1));
        break;
      case 7: // far too deep
        bytes = joined(
          bytes.subarray(0, at),
          new Uint8Array(below(300)).fill([0x91, 0x81, 0x12][below(3)]!),
          bytes.subarray(at),
        );
        break;
      case 8: // a field of another type
        if (bytes.length > 0) bytes[at] = (bytes[at]! & 0xf8) | below(8);
        break;
    }
  }
  return bytes.length > 100_000 ? bytes.slice(0, 100_000) : bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

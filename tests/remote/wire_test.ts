import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { decodeValue } from "../../core/codec/mod.ts";
import { SerializationError } from "../../core/errors.ts";
import { AudioFrame, EncodedFrame, Marker, Tensor, VideoFrame } from "../../core/frames/mod.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  FinishSchema,
  StreamRequestSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { readBatch } from "../../remote/wire/batch_reader.ts";
import { BatchWriter } from "../../remote/wire/batch_writer.ts";
import { readExecute } from "../../remote/wire/execute_request.ts";
import { readRequest } from "../../remote/wire/messages.ts";

const metadata = { speaker: "a", at: new Date(5) };

const chunks: unknown[] = [
  1,
  "two",
  { three: [3n] },
  new AudioFrame({
    data: new Float32Array([0.5, -0.5]),
    sampleRate: 44_100,
    numberOfChannels: 2,
    timestamp: -7,
    metadata,
  }),
  undefined,
  new VideoFrame({
    data: new Uint8Array(16).fill(9),
    format: "RGBA",
    codedWidth: 2,
    codedHeight: 2,
    timestamp: 2 ** 52 + 1,
    duration: 0,
  }),
  new EncodedFrame({ data: new Uint8Array([1]), codec: "opus", type: "delta", duration: 20_000 }),
  new Tensor({ data: new BigInt64Array(300), dims: [2, 150], metadata, timestamp: 1 }),
  new Marker({ name: "turn", data: { id: 3n }, timestamp: 9 }),
  new AudioFrame({ data: new Float32Array(0), sampleRate: 8_000 }),
  new Marker({ name: "" }),
  "x".repeat(100_000),
  null,
];

function messageOfChunks(list: readonly unknown[], firstSeq = 1): Uint8Array {
  const writer = new BatchWriter();
  for (const chunk of list) writer.add(chunk);
  return new Uint8Array(writer.finish(firstSeq, AckRequest.SNAPSHOT).message);
}

Deno.test("BatchWriter writes what readBatch reads", () => {
  for (const list of [chunks, chunks.slice(3), chunks.slice(0, 1), [...chunks, ...chunks], []]) {
    const batch = readBatch(messageOfChunks(list, 12345));
    const { firstSeq, ackRequest, chunks: read } = batch;
    assert.deepEqual([firstSeq, ackRequest, read], [12345, AckRequest.SNAPSHOT, list]);
  }
});

Deno.test("BatchWriter writes byte for byte what the generated code writes", () => {
  for (const list of [chunks, chunks.slice(3), chunks.slice(0, 2), [5]]) {
    const bytes = messageOfChunks(list, 300);
    const message = fromBinary(StreamRequestSchema, bytes);
    assert.deepEqual(new Uint8Array(toBinary(StreamRequestSchema, message)), bytes);
  }
});

Deno.test("readBatch reads what the generated code writes, in any order of fields", () => {
  const message = create(StreamRequestSchema, {
    message: {
      case: "chunks",
      value: {
        chunks: [
          { kind: { case: "values", value: { count: 2, packed: new Uint8Array([1, 0xc0]) } } },
          {
            kind: {
              case: "audio",
              value: { sampleRate: 8000, numberOfChannels: 1, data: new Uint8Array(8) },
            },
          },
        ],
      },
    },
  });
  const read = readBatch(toBinary(StreamRequestSchema, message));
  assert.deepEqual(read.chunks, [
    1,
    null,
    new AudioFrame({ data: new Float32Array(2), sampleRate: 8000 }),
  ]);
  assert.equal(decodeValue(new Uint8Array([1])), 1);
});

Deno.test("readBatch copies from a Buffer, so that a kept frame does not change with it", () => {
  const frame = new AudioFrame({ data: new Float32Array([1, 2, 3]), sampleRate: 8_000 });
  for (let shift = 0; shift < 8; shift++) {
    const message = messageOfChunks([frame, new Uint8Array([7])]);
    const buffer = Buffer.alloc(message.length + shift);
    buffer.set(message, shift);
    const { chunks: [copy, bytes] } = readBatch(buffer.subarray(shift));
    buffer.fill(0);
    assert.deepEqual(copy, frame);
    assert.deepEqual(bytes, new Uint8Array([7]));
  }
});

Deno.test("BatchWriter aligns large samples, which are then read where they lie", () => {
  const data = Float32Array.from({ length: 10_000 }, (_, index) => index);
  for (let shift = 0; shift < 12; shift++) {
    const writer = new BatchWriter();
    const small = { text: "x".repeat(shift) };
    const frame = new AudioFrame({ data, sampleRate: 8_000, timestamp: 300 ** shift % 2 ** 40 });
    for (const chunk of [small, frame]) writer.add(chunk);
    const { message } = writer.finish(8 ** shift, AckRequest.ACK);
    const framed = new Uint8Array(5 + message.length); // as gRPC's own header comes with it
    framed.set(message, 5);
    const { firstSeq, chunks: [first, read] } = readBatch(framed.subarray(5));
    assert.deepEqual([firstSeq, first, read], [8 ** shift, small, frame]);
    assert.equal((read as AudioFrame).data.buffer, framed.buffer, `shifted by ${shift}`);
    fromBinary(StreamRequestSchema, message); // and others read it too
  }
});

Deno.test("a frame that is alone in its message is read where it lies, one among others is copied", () => {
  const frame = new AudioFrame({ data: new Float32Array(160).fill(0.5), sampleRate: 16_000 });
  for (let shift = 0; shift < 12; shift++) {
    const alone = { ...frame, timestamp: 300 ** shift % 2 ** 40 };
    const read = (count: number) => {
      const writer = new BatchWriter();
      for (let index = 0; index < count; index++) writer.add(new AudioFrame(alone));
      const { message } = writer.finish(8 ** shift, AckRequest.ACK);
      const framed = new Uint8Array(5 + message.length); // as grpc-js gives it
      framed.set(message, 5);
      const { chunks: [first] } = readBatch(framed.subarray(5));
      assert.deepEqual(first, new AudioFrame(alone));
      return (first as AudioFrame).data.buffer === framed.buffer;
    };
    assert.deepEqual([read(1), read(4)], [true, false], `shifted by ${shift}`);
  }
});

Deno.test("BatchWriter uses memory again only where it was told to, and fits", () => {
  const writer = new BatchWriter();
  const frame = (length: number, value: number) =>
    new AudioFrame({ data: new Float32Array(length).fill(value), sampleRate: 8_000 });
  const write = (chunk: unknown) => {
    writer.add(chunk);
    return writer.finish(1).message;
  };
  const kept = write(frame(40_000, 1));
  const used = write(frame(40_000, 2));
  writer.reuse(used);
  const next = write(frame(39_000, 3));
  assert.equal(next.buffer, used.buffer);
  assert.notEqual(write(frame(40_000, 4)).buffer, used.buffer);
  assert.deepEqual(readBatch(kept).chunks, [frame(40_000, 1)]);
  assert.deepEqual(readBatch(next).chunks, [frame(39_000, 3)]);
  writer.reuse(next);
  assert.notEqual(write(frame(19_000, 5)).buffer, next.buffer); // it would hold much for little
  const small = write(5);
  writer.reuse(small); // shares its memory with others
  assert.notEqual(write(frame(20_000, 6)).buffer, small.buffer);
});

Deno.test("timestamps of all sizes come as they were", () => {
  const writer = new BatchWriter();
  const times = Array.from({ length: 53 }, (_, bits) => [2 ** bits, 1 - 2 ** bits, -(2 ** bits)])
    .flat().concat(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
  for (const timestamp of times) writer.add(new Marker({ name: "at", timestamp }));
  const read = readBatch(writer.finish(1).message).chunks as Marker[];
  assert.deepEqual(read.map(({ timestamp }) => timestamp), times);
});

Deno.test("BatchWriter stays as it was when a chunk cannot travel", () => {
  const writer = new BatchWriter();
  writer.add(1);
  assert.throws(() => writer.add({ f: () => 1 }), SerializationError);
  assert.throws(() => writer.add(new Marker({ name: "m", data: Symbol("s") })), SerializationError);
  writer.add(2);
  assert.throws(() => writer.add([() => 1]), SerializationError);
  assert.deepEqual(readBatch(writer.finish(1).message).chunks, [1, 2]);
});

Deno.test("readBatch gives a batch or a SerializationError for any bytes", () => {
  const message = messageOfChunks(chunks.slice(0, 11));
  for (let round = 0; round < 20_000; round++) {
    const bytes = message.slice(0, round % 3 === 0 ? Math.random() * message.length : undefined);
    for (let count = 0; count < 1 + round % 4; count++) {
      bytes[Math.floor(Math.random() * Math.min(bytes.length, 400))] = Math.random() * 256;
    }
    try {
      readBatch(bytes);
    } catch (error) {
      assert.ok(error instanceof SerializationError, String((error as Error).stack));
    }
  }
});

/** A batch of runs that each hold as many empty maps as one may. */
function manyRuns(runs: number): Uint8Array {
  const packed = new Uint8Array(900_005).fill(0x80);
  packed.set([0xdd, 0x00, 0x0d, 0xbb, 0xa0]); // an array of 900000
  const chunk = { kind: { case: "values" as const, value: { count: 1, packed } } };
  const value = { chunks: new Array(runs).fill(chunk) };
  return toBinary(
    StreamRequestSchema,
    create(StreamRequestSchema, {
      message: { case: "chunks", value },
    }),
  );
}

Deno.test("readBatch bounds the values of all chunks of a message together", () => {
  assert.equal(readBatch(manyRuns(1)).items, 900_001);
  assert.throws(() => readBatch(manyRuns(2)), /it holds too many values/);
});

Deno.test("readRequest and readExecute make no object of every two bytes", () => {
  const nodes = new Uint8Array(20_000 * 2).map((_, index) => index % 2 === 0 ? 0x12 : 0);
  const open = new Uint8Array([0x0a, 0xc0, 0xb8, 0x02, ...nodes]);
  assert.throws(() => readRequest(open), /more than 10000 fields/);
  assert.throws(() => readExecute(nodes), /too many nodes/);
  const unknown = readRequest(new Uint8Array([0x2a, 2, 0x78, 1])); // a Finish with a field of later versions
  assert.deepEqual(unknown.value, create(FinishSchema));
});

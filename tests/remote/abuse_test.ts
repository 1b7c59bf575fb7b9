import assert from "node:assert/strict";
import { Client, type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { BatchWriter } from "../../remote/wire/batch_writer.ts";
import { writeRequest, writeSpec } from "../../remote/wire/messages.ts";
import { ProtoReader } from "../../remote/wire/proto_reader.ts";
import { startPair, until } from "./_server.ts";

const open = writeRequest({
  case: "open",
  value: {
    protocolVersion: 1,
    segment: [writeSpec({ name: "PassThrough", type: "PassThrough", options: {} })],
  },
});

const same = (bytes: Uint8Array) => Buffer.from(bytes);

/** A client that does as it likes. */
function rawStream(client: Client): ClientDuplexStream<Uint8Array, Uint8Array> {
  const call = client.makeBidiStreamRequest<Uint8Array, Uint8Array>(
    "/remotemedia.v1.ExecutionService/Stream",
    same,
    (bytes) => bytes,
  );
  call.on("error", () => {});
  return call;
}

function statusOf(call: ClientDuplexStream<Uint8Array, Uint8Array>): Promise<status> {
  return new Promise((resolve) => call.on("status", ({ code }) => resolve(code)));
}

/** Messages that break a rule, each with the code that they get. */
const abuses: [name: string, messages: Uint8Array[], code: status][] = [
  ["garbage", [new Uint8Array(100).fill(0xff)], status.INVALID_ARGUMENT],
  ["nothing", [new Uint8Array(0)], status.INVALID_ARGUMENT],
  ["chunks before open", [valueMessage(1)], status.INVALID_ARGUMENT],
  ["open twice", [open, open], status.INVALID_ARGUMENT],
  ["another version", [
    writeRequest({ case: "open", value: { protocolVersion: 99 } }),
  ], status.INVALID_ARGUMENT],
  ["no node", [
    writeRequest({ case: "open", value: { protocolVersion: 1 } }),
  ], status.INVALID_ARGUMENT],
  ["garbage after open", [open, new Uint8Array([0x12, 5, 1])], status.INVALID_ARGUMENT],
  [
    "deep nesting",
    [open, packedMessage(new Uint8Array(5_000).fill(0x91))],
    status.INVALID_ARGUMENT,
  ],
  ["too many values", [open, packedMessage(bomb())], status.INVALID_ARGUMENT],
  ["oversized", [open, new Uint8Array(2 * 2 ** 20)], status.RESOURCE_EXHAUSTED],
];

function valueMessage(value: unknown): Uint8Array {
  const writer = new BatchWriter();
  writer.add(value);
  return writer.finish(1).message;
}

/** One value of the given bytes, whatever they are. */
function packedMessage(packed: Uint8Array): Uint8Array {
  return writeRequest({
    case: "chunks",
    value: { firstSeq: 1n, chunks: [{ kind: { case: "values", value: { count: 1, packed } } }] },
  });
}

function bomb(): Uint8Array {
  const bytes = new Uint8Array(1_000_100 + 5).fill(0x80);
  bytes.set([0xdd, 0x00, 0x0f, 0x42, 0xa4]);
  return bytes;
}

Deno.test("a server answers abuse with a clear status, and other sessions go on", async () => {
  await using pair = await startPair({ server: { maxMessageMb: 1.5, userCode: false } });
  const client = new Client(pair.server.address, credentials.createInsecure());
  const bystander = new Pipeline([new PassThrough({}, pair)]);
  const writer = bystander.writable.getWriter();
  const reader = bystander.readable.getReader();
  for (const [name, messages, code] of abuses) {
    const call = rawStream(client);
    call.resume();
    for (const message of messages) call.write(message);
    assert.equal(await statusOf(call), code, name);
    void writer.write(name);
    assert.equal((await reader.read()).value, name);
  }
  await reader.cancel();
  client.close();
  await until(() => pair.server.sessions === 0, "sessions gone");
});

Deno.test("a server takes no more than its sessions of a client that opens a thousand streams", async () => {
  await using pair = await startPair({ server: { maxSessions: 50, userCode: false } });
  const client = new Client(pair.server.address, credentials.createInsecure());
  const codes: status[] = [];
  const calls = Array.from({ length: 1_000 }, () => {
    const call = rawStream(client);
    call.resume();
    void statusOf(call).then((code) => codes.push(code));
    call.write(open);
    return call;
  });
  await until(() => codes.length >= 100, "refusals");
  assert.ok(pair.server.sessions <= 50);
  assert.ok(codes.every((code) => code === status.RESOURCE_EXHAUSTED));
  for (const call of calls) call.cancel();
  client.close();
  await until(() => pair.server.sessions === 0, "sessions gone");
});

Deno.test("a server survives mutated messages, each session answered or ended", async () => {
  await using pair = await startPair({ server: { userCode: false } });
  const client = new Client(pair.server.address, credentials.createInsecure());
  const seeds = [
    open,
    valueMessage({ a: [1, "b"] }),
    packedMessage(new Uint8Array([0x93, 1, 2, 3])),
  ];
  const rounds = 300;
  for (let round = 0; round < rounds; round++) {
    const call = rawStream(client);
    call.resume();
    if (round % 2 === 0) call.write(open);
    for (let count = 0; count < 5; count++) {
      const bytes = seeds[(round + count) % seeds.length]!.slice();
      bytes[Math.floor(Math.random() * bytes.length)] = Math.random() * 256;
      call.write(bytes);
    }
    call.end();
    const code = await statusOf(call);
    assert.notEqual(code, status.INTERNAL);
    assert.notEqual(code, status.UNAVAILABLE);
  }
  assert.deepEqual(await Array.fromAsync(new Pipeline([new PassThrough({}, pair)]).run([1])), [1]);
  client.close();
  await until(() => pair.server.sessions === 0, "sessions gone");
  assert.throws(() => new ProtoReader(new Uint8Array([0x80])).field());
});

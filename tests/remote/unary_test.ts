import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { StatusSchema } from "../../proto/gen/remotemedia/v1/error_pb.ts";
import { ExecuteRequestSchema } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { AudioFrame, Marker, NodeError, Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";
import { FailOn, Numbered, SlowDouble, testNodes, Total, Waits } from "./_nodes.ts";
import { startPair, until } from "./_server.ts";

Deno.test("RemoteExecutor.execute runs a list of chunks in one call, flush included", async () => {
  await using pair = await startPair();
  const { executor } = pair;
  assert.deepEqual(await executor.execute([new SlowDouble(), new Total()], [1, 2, 3]), [12]);
  const frame = new AudioFrame({ data: new Float32Array([1, 2]), sampleRate: 8_000 });
  const mixed = [1, frame, new Marker({ name: "m" }), undefined, { a: 1n }];
  assert.deepEqual(await executor.execute([new PassThrough()], mixed), mixed);
  assert.deepEqual(await executor.execute([new PassThrough()], []), []);
});

Deno.test("RemoteExecutor.execute tells a node's error", async () => {
  await using pair = await startPair();
  await assert.rejects(
    () => pair.executor.execute([new FailOn({ number: 3 }, { name: "X" })], [1, 2, 3]),
    (error) => {
      assert.ok(error instanceof NodeError);
      assert.equal(error.message, 'Node "X" failed on chunk 2: not that one');
      return true;
    },
  );
});

Deno.test("RemoteExecutor.execute ends the nodes there at its signal and at its deadline", async () => {
  await using pair = await startPair({ client: { timeoutMs: 300 } });
  Waits.events.length = 0;
  const signal = AbortSignal.timeout(50);
  await assert.rejects(() => pair.executor.execute([new Waits()], [1], { signal }));
  await until(() => Waits.events.includes("close"), "closed after cancel");
  Waits.events.length = 0;
  await assert.rejects(() => pair.executor.execute([new Waits()], [1]), {
    name: "RemoteError",
    code: 4,
    message: /took longer than its deadline allows/,
  });
  await until(() => Waits.events.includes("close"), "closed after deadline");
});

Deno.test("RemoteExecutor.listNodes tells types and the schemas of their options", async () => {
  await using pair = await startPair();
  const nodes = await pair.executor.listNodes();
  assert.deepEqual(nodes.map(({ type }) => type), testNodes.map(({ name }) => name));
  const buffer = nodes.find(({ type }) => type === "AudioBuffer")!;
  assert.equal(buffer.optionsSchema?.type, "object");
});

Deno.test("RemoteExecutor.status tells how each server does", async () => {
  await using pair = await startPair({ server: { maxSessions: 7 } });
  const [state] = await pair.executor.status();
  assert.ok(state?.up);
  assert.deepEqual([state.sessions, state.maxSessions, state.draining], [0, 7, false]);
  assert.ok(state.rssBytes > 1e6);
  await using nobody = new RemoteExecutor({ port: 1 });
  const [down] = await nobody.status();
  assert.equal(down?.up, false);
});

Deno.test("RemoteExecutor is refused by a full server, with a hint when to come again", async () => {
  await using pair = await startPair({ server: { maxSessions: 2 } });
  const readers = Array.from(
    { length: 2 },
    () => new Pipeline([new Waits({}, pair)]).run([1]).getReader(),
  );
  for (const reader of readers) void reader.read();
  await until(() => pair.server.sessions === 2, "two sessions");
  await assert.rejects(
    () => Array.fromAsync(new Pipeline([new PassThrough({}, pair)]).run([1])),
    (error) => {
      assert.ok(error instanceof RemoteError);
      assert.equal(error.code, 8);
      assert.equal(error.message, "The server is full: 2 of 2 sessions are in use");
      assert.ok(error.retryable && error.retryAfterMs! > 0);
      return true;
    },
  );
  // what clients of others understand: gRPC's pushback, and google.rpc.RetryInfo
  const client = new Client(pair.server.address, credentials.createInsecure());
  const request = create(ExecuteRequestSchema, {
    protocolVersion: 1,
    segment: [{ name: "pass", type: "PassThrough" }],
  });
  const refusal = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest(
      "/remotemedia.v1.ExecutionService/Execute",
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      toBinary(ExecuteRequestSchema, request),
      resolve,
    )
  );
  client.close();
  assert.equal(refusal!.code, 8);
  assert.deepEqual(refusal!.metadata.get("grpc-retry-pushback-ms"), ["1000"]);
  const [status] = refusal!.metadata.get("grpc-status-details-bin") as Buffer[];
  const { details } = fromBinary(StatusSchema, status!);
  const hint = details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo"));
  assert.deepEqual([...hint!.value], [0x0a, 2, 0x08, 1]); // { retry_delay: { seconds: 1 } }
  for (const reader of readers) await reader.cancel();
  await until(() => pair.server.sessions === 0, "sessions gone");
  assert.deepEqual(await Array.fromAsync(new Pipeline([new PassThrough({}, pair)]).run([1])), [1]);
});

Deno.test("RemoteExecutor spreads sessions over its endpoints and overcommits none", async () => {
  const servers = await Promise.all([1, 2, 3].map(() => {
    return serve({ port: 0, nodes: testNodes, maxSessions: 4 });
  }));
  {
    await using executor = new RemoteExecutor({
      endpoints: [{ port: 1 }, ...servers.map(({ port }) => ({ port }))],
    });
    const readers = Array.from({ length: 12 }, () => {
      const reader = new Pipeline([new Numbered({}, { executor })])
        .run(ReadableStream.from((async function* () {
          while (true) {
            yield 1;
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        })())).getReader();
      return reader;
    });
    await Promise.all(readers.map((reader) => reader.read()));
    assert.deepEqual(servers.map(({ sessions }) => sessions), [4, 4, 4]);
    await assert.rejects(
      () => Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([1])),
      { code: 8 },
    );
    for (const reader of readers) await reader.cancel();
  }
  for (const server of servers) await server.close();
});

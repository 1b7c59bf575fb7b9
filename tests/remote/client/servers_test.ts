import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { Marker, Pipeline, PipelineError, RemoteError } from "../../../core/mod.ts";
import { PassThrough } from "../../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../../remote/mod.ts";
import { serve } from "../../../remote/server/mod.ts";
import { SlowDouble, testNodes, Waits } from "../_nodes.ts";
import { startPair } from "../_server.ts";

const elapsed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes connections and says nothing, as a process does that is stopped. */
async function startMute(): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("RemoteExecutor counts a session's time from its start, not from when its pipeline was made", async () => {
  await using pair = await startPair({ client: { timeoutMs: 3_000 } });
  const pipeline = new Pipeline([new PassThrough({}, pair)]);
  await elapsed(3_100);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2])), [1, 2]);
});

Deno.test("RemoteExecutor interrupts a session of which all outputs have come", async () => {
  await using pair = await startPair();
  const pipeline = new Pipeline([new PassThrough({}, pair)]);
  const kept = new Marker({ name: "kept" });
  const reader = pipeline.run([1, 2, 3, kept, 4]).getReader();
  await reader.read();
  while (pair.server.sessions > 0) await elapsed(5);
  await elapsed(50); // its end has come here too
  await pipeline.interrupt();
  assert.deepEqual(await reader.read(), { done: false, value: kept });
  assert.deepEqual(await reader.read(), { done: true, value: undefined });
});

Deno.test("RemoteExecutor does not take sessions that are cancelled for failures of its servers", async () => {
  await using first = await serve({ port: 0 });
  await using second = await serve({ port: 0 });
  await using executor = new RemoteExecutor({
    endpoints: [{ port: first.port }, { port: second.port }],
  });
  for (let count = 0; count < 3; count++) {
    const reader = new Pipeline([new PassThrough({}, { executor })]).run([1]).getReader();
    reader.read().catch(() => {}); // it has begun to connect
    await elapsed(0);
    await reader.cancel();
  }
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1])), [1]);
});

Deno.test("RemoteExecutor goes on with all sessions where all servers are gone for a while", async () => {
  const start = (port: number) => serve({ port, nodes: testNodes, userCode: false });
  let servers = await Promise.all([0, 0].map(start));
  const ports = servers.map(({ port }) => port);
  const inputs = Array.from({ length: 600 }, (_, index) => index);
  {
    await using executor = new RemoteExecutor({
      endpoints: ports.map((port) => ({ port })),
      maxInFlight: 16,
      retry: { attempts: 16, maxDelayMs: 1_000 },
    });
    let outputs = 0;
    const runs = Array.from({ length: 20 }, async () => {
      const pipeline = new Pipeline([new SlowDouble({}, { executor })]);
      const doubled: number[] = [];
      for await (const output of pipeline.run(inputs)) {
        outputs++;
        doubled.push(output);
      }
      assert.deepEqual(doubled, inputs.map((input) => 2 * input));
    });
    while (outputs < 200) await elapsed(5);
    await Promise.all(servers.map((server) => server.close()));
    await elapsed(1_500);
    servers = await Promise.all(ports.map(start));
    await Promise.all(runs);
  }
  for (const server of servers) await server.close();
});

Deno.test("RemoteExecutor passes over a server that takes connections and says nothing", async () => {
  await using mute = await startMute();
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({
    endpoints: [{ port: mute.port }, { port: server.port }],
  });
  assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
  assert.ok((await executor.listNodes()).length > 10);
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1])), [1]);
});

Deno.test("RemoteExecutor tells that its only server takes connections and says nothing", async () => {
  await using mute = await startMute();
  await using executor = new RemoteExecutor({ port: mute.port, keepaliveMs: 100 });
  const isTold = (error: unknown) => {
    assert.ok(error instanceof RemoteError);
    assert.match(
      error.message,
      /^Cannot reach .* takes the connection, and says nothing for 1100 ms/,
    );
    return error.retryable;
  };
  await assert.rejects(() => executor.execute([new PassThrough()], [1]), isTold);
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  await assert.rejects(() => Array.fromAsync(pipeline.run([1])), isTold);
  const signal = AbortSignal.timeout(100);
  await assert.rejects(() => executor.execute([new PassThrough()], [1], { signal }), {
    name: "TimeoutError",
  });
});

Deno.test("RemoteExecutor keeps to its deadline while it connects, and while it waits to connect again", async () => {
  const isExceeded = { name: "RemoteError", code: 4 };
  const began = performance.now();
  await using mute = await startMute();
  await using muted = new RemoteExecutor({ port: mute.port, timeoutMs: 300 });
  const session = new Pipeline([new PassThrough({}, { executor: muted })]).run([1]);
  await assert.rejects(Array.fromAsync(session), isExceeded);
  await assert.rejects(muted.execute([new PassThrough()], [1]), isExceeded);
  const server = await serve({ port: 0, nodes: testNodes, userCode: false });
  await using executor = new RemoteExecutor({
    port: server.port,
    timeoutMs: 1_000,
    retry: { attempts: 1_000, minDelayMs: 60_000, maxDelayMs: 60_000 },
  });
  const reader = new Pipeline([new SlowDouble({}, { executor })])
    .run(ReadableStream.from((async function* () {
      for (let count = 0;; count++, await elapsed(5)) yield count;
    })())).getReader();
  await reader.read();
  await server.close();
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, isExceeded);
  assert.ok(performance.now() - began < 10_000);
});

Deno.test("RemoteExecutor ends its calls when it is disposed, there as well", async () => {
  await using server = await serve({ port: 0, nodes: testNodes, userCode: false });
  const executor = new RemoteExecutor({ port: server.port });
  const call = executor.execute([new Waits()], [1]);
  const failed = assert.rejects(call, { name: "PipelineError", message: /was closed$/ });
  while (server.sessions === 0) await elapsed(2);
  await executor[Symbol.asyncDispose]();
  await failed;
  for (let waited = 0; server.sessions > 0; waited += 5) {
    assert.ok(waited < 5_000, "the call goes on there");
    await elapsed(5);
  }
});

Deno.test("RemoteExecutor connects nowhere once it is disposed", async () => {
  await using server = await serve({ port: 0 });
  const executor = new RemoteExecutor({ port: server.port });
  assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
  await executor[Symbol.asyncDispose]();
  await executor[Symbol.asyncDispose]();
  for (
    const use of [
      () => executor.execute([new PassThrough()], [1]),
      () => executor.listNodes(),
      () => executor.status(),
      () => executor.pipelines.list(),
      () => executor.pipelines.register("version: 1\nname: n\nnodes: [{ type: PassThrough }]"),
      () => executor.import(import.meta.url),
      async () => void await executor.open([]),
    ]
  ) await assert.rejects(use, PipelineError);
});

import assert from "node:assert/strict";
import {
  AudioFrame,
  Marker,
  NodeError,
  Pipeline,
  RemoteError,
  SerializationError,
} from "../../core/mod.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { endlessSource } from "../../testing/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import {
  Endless,
  FailOn,
  GivesFunction,
  Numbered,
  Power,
  SlowDouble,
  Total,
  Waits,
} from "./_nodes.ts";
import { startPair, until } from "./_server.ts";

async function outputsUntilError(stream: ReadableStream<unknown>): Promise<[unknown[], unknown]> {
  const outputs: unknown[] = [];
  try {
    for await (const output of stream) outputs.push(output);
  } catch (error) {
    return [outputs, error];
  }
  return [outputs, undefined];
}

Deno.test("RemoteExecutor runs a line of nodes there as here, flush included", async () => {
  await using pair = await startPair();
  for (const config of [{}, { executor: pair.executor }]) {
    const pipeline = new Pipeline([new SlowDouble({}, config), new Total({}, config)]);
    assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2, 3])), [12]);
    const empty = new Pipeline([new SlowDouble({}, config), new Total({}, config)]);
    assert.deepEqual(await Array.fromAsync(empty.run([])), [0]);
  }
});

Deno.test("RemoteExecutor keeps order, markers and undefined among 20000 chunks", async () => {
  await using pair = await startPair();
  const { executor } = pair;
  const inputs = Array.from(
    { length: 20_000 },
    (_, index) => index % 100 === 99 ? new Marker({ name: `m${index}` }) : { index },
  );
  const config = { executor };
  const pipeline = new Pipeline([new PassThrough({}, config), new PassThrough({}, config)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run(inputs)), inputs);
});

Deno.test("RemoteExecutor carries frames bit for bit", async () => {
  await using pair = await startPair();
  const frames = Array.from({ length: 300 }, (_, index) =>
    new AudioFrame({
      data: Float32Array.from({ length: 1 + index * 7 }, () => Math.random()),
      sampleRate: 16_000,
      timestamp: index * 10_000,
      metadata: index % 2 === 0 ? {} : { index, tags: new Set(["x"]) },
    }));
  const pipeline = new Pipeline([new PassThrough({}, pair)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run(frames)), frames);
});

Deno.test("RemoteExecutor tells a node's error as it is told here, after the outputs before it", async () => {
  await using pair = await startPair();
  const errors: NodeError[] = [];
  for (const config of [{}, pair]) {
    const pipeline = new Pipeline([
      new PassThrough<number>({}, config),
      new FailOn({ number: 3 }, { ...config, name: "Third" }),
    ]);
    const [outputs, error] = await outputsUntilError(pipeline.run([0, 1, 2, 3, 4, 5]));
    assert.deepEqual(outputs, [0, 1, 2]);
    assert.ok(error instanceof NodeError);
    errors.push(error);
  }
  const [here, there] = errors;
  assert.equal(there!.message, here!.message);
  assert.equal(there!.message, 'Node "Third" failed on chunk 3: not that one');
  assert.deepEqual([there!.node, there!.phase, there!.chunkIndex], ["Third", "process", 3]);
  assert.ok(there!.cause instanceof RangeError);
  assert.match(there!.cause.stack!, /FailOn\.process/);
  assert.equal((there!.cause.cause as Error).message, "deeper");
});

Deno.test("RemoteExecutor says in one sentence that no server is there", async () => {
  await using executor = new RemoteExecutor({ port: 1 });
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  const [outputs, error] = await outputsUntilError(pipeline.run([1]));
  assert.deepEqual(outputs, []);
  assert.ok(error instanceof RemoteError);
  assert.equal(error.message, "Cannot reach a server at 127.0.0.1:1: nothing listens there");
  assert.equal(error.code, 14);
});

Deno.test("RemoteExecutor fails with a clear error for a type that the server does not have", async () => {
  await using pair = await startPair({ server: { nodes: [PassThrough] } });
  const pipeline = new Pipeline([new Total({}, pair)]);
  const [, error] = await outputsUntilError(pipeline.run([1]));
  assert.match(String(error), /^ConfigurationError: Cannot find node type Total/);
});

Deno.test("RemoteExecutor names the path of what cannot travel, either way", async () => {
  await using pair = await startPair();
  const there = new Pipeline([new PassThrough({}, pair)]);
  const [outputs, error] = await outputsUntilError(there.run([1, { f: () => 1 }]));
  assert.ok(outputs.length <= 1);
  assert.ok(error instanceof SerializationError);
  assert.match(error.message, /value\.f is a function/);
  const back = new Pipeline([new GivesFunction({}, pair)]);
  const [, backError] = await outputsUntilError(back.run([1]));
  assert.match(String(backError), /SerializationError: .*value\.callback is a function/);
});

Deno.test("RemoteExecutor fails with its source, and ends the nodes there", async () => {
  await using pair = await startPair();
  Waits.events.length = 0;
  const source = new ReadableStream({
    async pull(controller) {
      controller.enqueue(1);
      await until(() => Waits.events.includes("open"), "open");
      controller.error(new Error("source broke"));
    },
  });
  const [, error] = await outputsUntilError(new Pipeline([new Waits({}, pair)]).run(source));
  assert.equal((error as Error).message, "source broke");
  await until(() => Waits.events.includes("close"), "nodes closed");
  await until(() => pair.server.sessions === 0, "session gone");
});

Deno.test("RemoteExecutor ends the nodes there within 100 ms when its reader cancels", async () => {
  await using pair = await startPair();
  Waits.events.length = 0;
  const reader = new Pipeline([new Waits({}, pair)]).run([1]).getReader();
  const read = reader.read();
  await until(() => Waits.events.includes("open"), "open");
  const start = performance.now();
  await reader.cancel("enough");
  await until(() => Waits.events.includes("close"), "nodes closed");
  const tookMs = performance.now() - start;
  console.log(`closed ${tookMs.toFixed(1)} ms after the reader cancelled`);
  assert.ok(tookMs < 500); // 100 ms are meant
  assert.deepEqual(Waits.events, ["open", "aborted", "close"]);
  assert.deepEqual(await read, { done: true, value: undefined });
});

Deno.test("RemoteExecutor ends the nodes there within 100 ms of its deadline", async () => {
  const timeoutMs = 400;
  await using pair = await startPair({ client: { timeoutMs, retry: false } });
  Waits.events.length = 0;
  const start = performance.now();
  const read = new Pipeline([new Waits({}, pair)]).run([1]).getReader().read();
  await assert.rejects(() => read, {
    name: "RemoteError",
    code: 4,
    message: /took longer than its deadline allows/,
  });
  await until(() => Waits.events.includes("close"), "nodes closed");
  const lateMs = performance.now() - start - timeoutMs;
  console.log(`closed ${lateMs.toFixed(1)} ms after the deadline`);
  assert.deepEqual(Waits.events, ["open", "aborted", "close"]);
  assert.ok(lateMs < 500); // 100 ms are meant
});

Deno.test("RemoteExecutor ends the nodes there when the run is aborted", async () => {
  await using pair = await startPair();
  Waits.events.length = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const outputs = outputsUntilError(new Pipeline([new Waits({}, pair)]).run([1], { signal }));
  await until(() => Waits.events.includes("open"), "open");
  controller.abort(new Error("stop it"));
  assert.equal(((await outputs)[1] as Error).message, "stop it");
  await until(() => Waits.events.includes("close"), "nodes closed");
});

Deno.test("RemoteExecutor holds back an endless source: 50 read, no more than its capacity ahead", async () => {
  for (const maxInFlight of [1, 16, 1024]) {
    await using pair = await startPair({ client: { maxInFlight } });
    const source = endlessSource((index) => index);
    const pipeline = new Pipeline([new PassThrough({}, pair), new PassThrough()]);
    const reader = pipeline.run(source.stream).getReader();
    for (let count = 0; count < 50; count++) await reader.read();
    let before = -1;
    while (source.produced !== before) {
      before = source.produced;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(pipeline.capacity <= maxInFlight + 3);
    assert.ok(source.produced <= 50 + pipeline.capacity + 1, `produced ${source.produced}`);
    await reader.cancel();
  }
});

Deno.test("RemoteExecutor holds back an endless node", async () => {
  await using pair = await startPair({ client: { maxInFlight: 64 } });
  Endless.produced = 0;
  const pipeline = new Pipeline([new Endless({}, pair)]);
  const reader = pipeline.run([1]).getReader();
  for (let count = 0; count < 50; count++) assert.equal((await reader.read()).value, count);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(Endless.produced <= 50 + pipeline.capacity + 1, `produced ${Endless.produced}`);
  await reader.cancel();
});

Deno.test("RemoteExecutor holds no more bytes than it may while nobody reads", async () => {
  await using pair = await startPair({ client: { maxInFlightBytes: 4 * 2 ** 20 } });
  const source = endlessSource(() =>
    new AudioFrame({ data: new Float32Array(2 ** 18), sampleRate: 16_000 })
  ); // 1 MiB each
  const reader = new Pipeline([new PassThrough({}, pair)]).run(source.stream).getReader();
  for (let count = 0; count < 10; count++) await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(source.produced <= 10 + 2 * 4 + 6, `produced ${source.produced} MiB`);
  await reader.cancel();
});

Deno.test("RemoteExecutor drops what an interrupt makes void, and goes on", async () => {
  await using pair = await startPair();
  const pipeline = new Pipeline([new SlowDouble({}, pair), new Numbered({}, pair)]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  for (let index = 0; index < 200; index++) void writer.write(1);
  const kept = new Marker({ name: "kept" });
  void writer.write(kept);
  await reader.read();
  await pipeline.interrupt();
  void writer.write(21);
  void writer.close();
  const rest: unknown[] = [];
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    rest.push(read.value);
  }
  const markers = rest.filter((chunk) => chunk instanceof Marker);
  assert.deepEqual(markers, [kept]);
  const last = rest.at(-1) as { count: number; input: number };
  assert.equal(last.input, 42);
  assert.ok(last.count < 150, `${last.count} were worked on`);
  assert.equal(rest.length, 3, JSON.stringify(rest)); // marker, what onInterrupt gave, the last
});

Deno.test("RemoteExecutor tells the stats of the nodes there", async () => {
  await using pair = await startPair();
  const pipeline = new Pipeline([new PassThrough<number>({}, pair), new SlowDouble({}, pair)]);
  await Array.fromAsync(pipeline.run([1, 2, 3]));
  const stats = pipeline.stats();
  assert.deepEqual(stats.map(({ name, in: taken, out }) => [name, taken, out]), [
    ["PassThrough", 3, 3],
    ["SlowDouble", 3, 3],
  ]);
  assert.ok(stats[1]!.busyMs >= 1);
});

Deno.test("RemoteExecutor runs many sessions over one connection, each for itself", async () => {
  await using pair = await startPair();
  const runs = Array.from({ length: 20 }, async (_, session) => {
    const nodes = [new SlowDouble({}, pair), new FailOn({ number: 10 * session }, pair)] as const;
    return await outputsUntilError(new Pipeline(nodes).run([session, 5 * session, 100_000]));
  });
  for (const [session, [outputs, error]] of (await Promise.all(runs)).entries()) {
    if (session === 0) assert.deepEqual(outputs, []);
    else assert.deepEqual(outputs, [2 * session]);
    assert.ok(error instanceof NodeError);
  }
});

Deno.test("RemoteExecutor sends one chunk alone at once", async () => {
  await using pair = await startPair();
  const pipeline = new Pipeline([new Power({}, pair)]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  const frame = new AudioFrame({ data: new Float32Array(160).fill(0.5), sampleRate: 16_000 });
  for (let round = 0; round < 200; round++) {
    void writer.write(frame);
    assert.equal((await reader.read()).value, 0.25);
  }
  await writer.close();
  assert.ok((await reader.read()).done);
});

Deno.test("RemoteExecutor refuses options that break a rule, naming option, rule and value", () => {
  assert.throws(() => new RemoteExecutor({ port: 0 }), {
    name: "RangeError",
    message: /option "port" breaks its rule .*current value is 0$/,
  });
  assert.throws(() => new RemoteExecutor({ prot: 1 } as never), {
    name: "TypeError",
    message: /no option "prot"/,
  });
});

Deno.test("RemoteExecutor closes once all outputs are read, though nobody reads on", async () => {
  await using pair = await startPair({ client: { snapshotIntervalMs: 0 } }); // an Ack behind each output
  const pipeline = new Pipeline([new Numbered({}, pair)]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  for (let count = 0; count < 20; count++) {
    void writer.write("x");
    await reader.read();
  }
  await writer.close();
  assert.ok((await reader.read()).done);
});

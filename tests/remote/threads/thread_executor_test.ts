import assert from "node:assert/strict";
import { AudioFrame, map, Marker, NodeError, PassThrough, Pipeline } from "@remotemedia/sdk";
import { ThreadExecutor } from "../../../remote/threads/mod.ts";
import {
  CountPrimes,
  Endless,
  Gain,
  LaterIsFaster,
  Repeat,
  Sum,
  ThrowAt,
  twice,
} from "./_thread_nodes.ts";
import { ThrowAt as OtherThrowAt, twice as otherTwice } from "./_other_nodes.ts";

Deno.test("ThreadExecutor runs nodes as they run here", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  const here = new Pipeline([new Repeat(), new Sum()]);
  const there = new Pipeline([new Repeat({}, { executor }), new Sum({}, { executor })]);
  const inputs = [1, 2, 3, 4, 5, 6, 7];
  assert.deepEqual(
    await Array.fromAsync(there.run(inputs)),
    await Array.fromAsync(here.run(inputs)),
  );
  assert.deepEqual(there.stats().map((stats) => stats.in), [7, 12]);
});

Deno.test("ThreadExecutor runs built-in nodes", async () => {
  await using executor = new ThreadExecutor({ threads: 1, transfer: false });
  const pipeline = new Pipeline([
    new PassThrough({}, { executor }),
    new PassThrough({}, { executor }),
  ]);
  const inputs = ["a", { deep: [new Date(0), new Map([[1, 2]])] }, new Uint8Array([1, 2]), null];
  assert.deepEqual(await Array.fromAsync(pipeline.run(inputs)), inputs);
});

Deno.test("ThreadExecutor keeps the order with concurrency", async () => {
  await using executor = new ThreadExecutor({ threads: 3 });
  const inputs = Array.from({ length: 40 }, (_, index) => index);
  const slow = new Pipeline([new LaterIsFaster({}, { executor, concurrency: 6 })]);
  assert.deepEqual(await Array.fromAsync(slow.run(inputs)), inputs);
  const many = new Pipeline([new Repeat({}, { executor, concurrency: 3 })]);
  const expected = await Array.fromAsync(new Pipeline([new Repeat()]).run(inputs));
  assert.deepEqual(await Array.fromAsync(many.run(inputs)), expected);
});

Deno.test("ThreadExecutor passes markers in their places", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  const marker = new Marker({ name: "here", data: 5 });
  for (const concurrency of [1, 2]) {
    const pipeline = new Pipeline([new LaterIsFaster({}, { executor, concurrency })]);
    const outputs = await Array.fromAsync(pipeline.run([1, marker, 2]));
    assert.deepEqual(outputs.map((output) => (output as unknown) instanceof Marker), [
      false,
      true,
      false,
    ]);
  }
});

Deno.test("ThreadExecutor transfers samples, or copies them where that is asked for", async () => {
  for (const transfer of [true, false]) {
    await using executor = new ThreadExecutor({ threads: 1, transfer });
    const frame = new AudioFrame({
      data: new Float32Array([1, 2]),
      sampleRate: 8000,
      timestamp: 3,
    });
    const [output] = await Array.fromAsync(
      new Pipeline([new Gain({ by: 2 }, { executor })]).run([frame]),
    );
    assert.ok(output instanceof AudioFrame);
    assert.deepEqual([[...output.data], output.timestamp], [[2, 4], 3]);
    assert.equal(frame.data.length, transfer ? 0 : 2);
  }
});

Deno.test("ThreadExecutor does not empty a buffer of which a frame is a part", async () => {
  await using executor = new ThreadExecutor({ threads: 1 });
  const all = new Float32Array([1, 2, 3, 4]);
  const frames = [0, 2].map((at) =>
    new AudioFrame({ data: all.subarray(at, at + 2), sampleRate: 8000 })
  );
  const outputs = await Array.fromAsync(
    new Pipeline([new Gain({ by: 2 }, { executor })]).run(frames),
  );
  assert.deepEqual(outputs.flatMap(({ data }) => [...data]), [2, 4, 6, 8]);
  assert.equal(all.length, 4);
});

Deno.test("ThreadExecutor tells node, chunk and the user's own file of an error", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  for (const concurrency of [1, 2]) {
    const pipeline = new Pipeline([new ThrowAt({ at: 2 }, { executor, concurrency })]);
    const error = await Array.fromAsync(pipeline.run([0, 1, 2, 3])).then(() => undefined, (e) => e);
    assert.ok(error instanceof NodeError);
    assert.equal(error.node, "ThrowAt");
    assert.ok(error.cause instanceof RangeError);
    assert.match(String(error.cause.stack), /_thread_nodes\.ts:\d+/);
  }
});

Deno.test("ThreadExecutor holds a source back", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  for (const concurrency of [1, 2]) {
    let produced = 0;
    const source = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(produced++),
    }, { highWaterMark: 0 });
    const pipeline = new Pipeline([new LaterIsFaster({}, { executor, concurrency })]);
    const reader = pipeline.run(source).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.ok(produced <= pipeline.capacity + 2, `it produced ${produced} of ${pipeline.capacity}`);
    await reader.cancel();
  }
});

Deno.test("ThreadExecutor ends a generator when its reader stops, and interrupts", async () => {
  await using executor = new ThreadExecutor({ threads: 1 });
  const pipeline = new Pipeline([new Endless({}, { executor })]);
  const reader = pipeline.run([0]).getReader();
  assert.equal((await reader.read()).value, 0);
  await reader.cancel();
  const slow = new Pipeline([new LaterIsFaster({}, { executor })]);
  const writer = slow.writable.getWriter();
  const output = slow.readable.getReader();
  for (let index = 0; index < 10; index++) void writer.write(index);
  await output.read();
  await slow.interrupt();
  void writer.write(100);
  void writer.close();
  const rest: unknown[] = [];
  for (let step = await output.read(); !step.done; step = await output.read()) {
    rest.push(step.value);
  }
  assert.equal(rest.at(-1), 100);
  assert.ok(rest.length <= 2);
});

Deno.test("ThreadExecutor fails what runs when it is closed, and takes no more", async () => {
  const executor = new ThreadExecutor({ threads: 1 });
  const run = new Pipeline([new Endless({}, { executor })]).run([0]).getReader();
  await run.read();
  await executor[Symbol.asyncDispose]();
  const readAll = async () => {
    while (!(await run.read()).done);
  };
  await assert.rejects(readAll(), /was closed/);
  assert.throws(() => new Pipeline([new Sum({}, { executor })]), /is closed/);
  assert.throws(() => new ThreadExecutor({ threads: 0 }), RangeError);
});

Deno.test("ThreadExecutor uses more than one core", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  const inputs = Array.from({ length: 16 }, () => 60_000);
  const time = async (pipeline: Pipeline<[CountPrimes]>) => {
    const start = performance.now();
    assert.equal((await Array.fromAsync(pipeline.run(inputs))).length, inputs.length);
    return performance.now() - start;
  };
  await time(new Pipeline([new CountPrimes({}, { executor, concurrency: 2 })])); // starts the threads
  const there = await time(new Pipeline([new CountPrimes({}, { executor, concurrency: 2 })]));
  const here = await time(new Pipeline([new CountPrimes()]));
  console.log(`here ${here.toFixed(0)} ms, in two threads ${there.toFixed(0)} ms`);
  assert.ok(there < 5 * here);
});

Deno.test("ThreadExecutor runs nodes of one name from two modules, each its own", async () => {
  await using executor = new ThreadExecutor({ threads: 1 });
  const one = new Pipeline([
    new ThrowAt({ at: 1 }, { executor }),
    new OtherThrowAt({ at: 2 }, { executor }),
  ]);
  assert.deepEqual(await Array.fromAsync(one.run([0, 2, 4])), ["other 0", "other 2", "other 4"]);
  const url = (file: string) => new URL(file, import.meta.url).href;
  const functions = new Pipeline([
    map(twice, { module: url("./_thread_nodes.ts"), executor }),
    map(otherTwice, { module: url("./_other_nodes.ts"), export: "twice", executor }),
  ]);
  assert.deepEqual(await Array.fromAsync(functions.run([3])), ["other 6"]);
});

Deno.test("ThreadExecutor survives a segment that is interrupted and then cancelled at once", async () => {
  await using executor = new ThreadExecutor({ threads: 1 });
  for (let round = 0; round < 5; round++) {
    const pipeline = new Pipeline([new LaterIsFaster({}, { executor })]);
    const outputs = pipeline.run(Array.from({ length: 100 }, () => 1))[Symbol.asyncIterator]();
    await outputs.next();
    const interrupted = pipeline.interrupt();
    await outputs.return!();
    await interrupted;
  }
  const after = new Pipeline([new LaterIsFaster({}, { executor })]);
  assert.deepEqual(await Array.fromAsync(after.run([1])), [1]);
});

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AudioFrame, Node, Pipeline } from "../../../core/mod.ts";
import { Batch, Buffer, Deduplicator, Delay, Tap, Throttle } from "../../../nodes/data/mod.ts";
import { endlessSource, FakeClock } from "../../../testing/mod.ts";
import { through } from "./_through.ts";

const frame = (timestamp: number) => ({ timestamp });

Deno.test("Buffer gives lists of size, overlapping, and what is left", async () => {
  deepEqual(await through(new Buffer({ size: 2 }), [1, 2, 3]), [[1, 2], [3]]);
  deepEqual(await through(new Buffer({ size: 3, overlap: 2 }), [1, 2, 3, 4]), [[1, 2, 3], [
    2,
    3,
    4,
  ]]);
  deepEqual(await through(new Buffer({ size: 3, overlap: 1 }), [1, 2, 3, 4]), [[1, 2, 3], [3, 4]]);
  deepEqual(await through(new Buffer(), []), []);
});

Deno.test("Batch ends by count, bytes and time, whichever is first", async () => {
  deepEqual(await through(new Batch({ maxCount: 2 }), [1, 2, 3]), [[1, 2], [3]]);
  const bytes = (...lengths: number[]) => lengths.map((length) => new Uint8Array(length));
  const sizes =
    (await through(new Batch({ maxBytes: 10 }), bytes(4, 4, 4, 20, 10, 1)) as Uint8Array[][])
      .map((batch) => batch.map(({ length }) => length));
  deepEqual(sizes, [[4, 4], [4], [20], [10], [1]]);
  const timed = [0, 40, 99, 100, 150, 400, 10].map((ms) => frame(ms * 1000));
  const batches = await through(
    new Batch({ maxMs: 100, clock: "timestamp" }),
    timed,
  ) as typeof timed[];
  deepEqual(batches.map((batch) => batch.map(({ timestamp }) => timestamp / 1000)), [
    [0, 40, 99],
    [100, 150],
    [400],
    [10],
  ]);
});

Deno.test("Batch gives a batch when its time is over, while no chunk comes", async () => {
  const batch = new Batch<number>({ maxMs: 20 });
  const reader = batch.readable.getReader();
  const writer = batch.writable.getWriter();
  void writer.write(1);
  void writer.write(2);
  deepEqual((await reader.read()).value, [1, 2]);
  void writer.write(3);
  deepEqual((await reader.read()).value, [3]);
  void writer.write(4);
  void writer.close();
  deepEqual((await reader.read()).value, [4]);
  deepEqual((await reader.read()).done, true);
});

Deno.test("Batch counts the bytes of text as UTF-8, of frames as samples", async () => {
  const audio = new AudioFrame({ data: new Float32Array(2), sampleRate: 8000 });
  const batches = await through(new Batch({ maxBytes: 9 }), ["é€😀", "a", audio, audio]);
  deepEqual(batches.map((batch) => (batch as unknown[]).length), [1, 2, 1]);
  equal((await through(new Batch({ maxBytes: 10 }), ["é€😀", "a"])).length, 1);
});

Deno.test("Batch by arrival ends when a chunk comes after its time", async () => {
  using clock = new FakeClock();
  const pipeline = new Pipeline([new Batch<number>({ maxMs: 50 })]);
  const output = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  for (const value of [1, 2, 3]) {
    await writer.write(value);
    await clock.tick(30);
  }
  await writer.close();
  deepEqual(await output, [[1, 2], [3]]);
});

Deno.test("Batch and Throttle tell when a chunk has no timestamp to go by", async () => {
  await rejects(
    through(new Batch({ maxMs: 1, clock: "timestamp" }), [1]),
    /Batch goes by the timestamp of chunks \(in µs\): this one has none/,
  );
  await rejects(
    through(new Throttle({ clock: "timestamp", excess: "drop" }), ["a"]),
    /Throttle goes by the timestamp/,
  );
});

Deno.test("Throttle drops what comes too early, by timestamps", async () => {
  const node = new Throttle({ limit: 2, perMs: 100, excess: "drop", clock: "timestamp" });
  const passed = await through(
    node,
    [0, 10, 20, 99, 100, 105, 110, 50, 60].map((ms) => frame(ms * 1000)),
  );
  deepEqual((passed as { timestamp: number }[]).map(({ timestamp }) => timestamp / 1000), [
    0,
    10,
    100,
    110,
    50,
    60,
  ]);
});

Deno.test("Throttle that waits loses nothing and holds up what writes to it", async () => {
  using clock = new FakeClock();
  const start = clock.now;
  const at: number[] = [];
  const reading = (async () => {
    const node = new Throttle<number>({ limit: 2, perMs: 100 });
    for await (const _ of ReadableStream.from([1, 2, 3, 4, 5]).pipeThrough(node)) {
      at.push(clock.now - start);
    }
  })();
  await clock.tick(1000);
  await reading;
  deepEqual(at, [0, 0, 100, 100, 200]);
});

Deno.test("Throttle and Delay end their waits when the stream is cancelled or interrupted", async () => {
  for (
    const make of [
      () => new Throttle<number>({ perMs: 3_600_000 }),
      () => new Delay<number>({ ms: 3_600_000 }),
    ]
  ) {
    const source = endlessSource((index) => index);
    const reader = source.stream.pipeThrough<number>(make()).getReader();
    reader.read().then(() => reader.read()).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    await reader.cancel("enough");
    const pipeline = new Pipeline([make()]);
    const output = Array.fromAsync(pipeline.readable);
    const writer = pipeline.writable.getWriter();
    for (const value of [1, 2]) writer.write(value).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    await pipeline.interrupt();
    await writer.close();
    deepEqual((await output).includes(2), false);
  }
});

Deno.test("Throttle keeps to its limit after an interrupt", async () => {
  const pipeline = new Pipeline([new Throttle<number>({ perMs: 300 })]);
  const reader = pipeline.readable.getReader();
  const writer = pipeline.writable.getWriter();
  void writer.write(1);
  equal((await reader.read()).value, 1);
  const first = performance.now();
  writer.write(2).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  await pipeline.interrupt();
  void writer.write(3);
  equal((await reader.read()).value, 3);
  ok(performance.now() - first > 290);
  await reader.cancel();
});

Deno.test("Delay keeps the distance between chunks", async () => {
  using clock = new FakeClock();
  const pipeline = new Pipeline([new Delay<number>({ ms: 100 })]);
  const at: [number, number][] = [];
  const reading = (async () => {
    for await (const value of pipeline.readable) at.push([value, clock.now]);
  })();
  const writer = pipeline.writable.getWriter();
  for (const value of [1, 2, 3]) {
    await writer.write(value);
    await clock.tick(10);
  }
  await clock.tick(200);
  await writer.close();
  await reading;
  deepEqual(at, [[1, 100], [2, 110], [3, 120]]);
});

Deno.test("Delay holds at most its concurrency", async () => {
  using clock = new FakeClock();
  const source = endlessSource((index) => index);
  const reader = new Pipeline([new Delay<number>({ ms: 1000 }, { concurrency: 5 })])
    .run(source.stream).getReader();
  const first = reader.read();
  await clock.tick(500);
  ok(source.produced >= 5 && source.produced <= 8, `${source.produced}`);
  await clock.tick(600);
  equal((await first).value, 0);
  await reader.cancel();
});

Deno.test("Delay paces a recording by its timestamps, late chunks at once", async () => {
  using clock = new FakeClock();
  const at: number[] = [];
  const frames = [5_000_000, 5_040_000, 5_120_000, 5_020_000].map(frame);
  const reading = (async () => {
    const node = new Delay<{ timestamp: number }>({ pace: true, speed: 2, ms: 10 });
    for await (const _ of ReadableStream.from(frames).pipeThrough(node)) at.push(clock.now);
  })();
  await clock.tick(1000);
  await reading;
  deepEqual(at, [10, 30, 70, 70]);
  await rejects(through(new Delay({ pace: true }), [1]), /Delay goes by the timestamp/);
});

Deno.test("Deduplicator compares contents, in any order of fields", async () => {
  const chunks = [
    { a: 1, b: [1, { c: 2, d: 3 }] },
    { b: [1, { d: 3, c: 2 }], a: 1 },
    { a: 1, b: [1] },
    [1],
    "[1]",
  ];
  deepEqual(await through(new Deduplicator(), chunks), [chunks[0], ...chunks.slice(2)]);
  const long = "x".repeat(100);
  deepEqual(await through(new Deduplicator(), [long, `${long}y`, long, 1, "1", 1n, 1]), [
    long,
    `${long}y`,
    1,
    "1",
    1n,
  ]);
});

Deno.test("Deduplicator looks at a field, and lets chunks without it pass", async () => {
  const ids = ["a", "b", "a", undefined, undefined].map((id) => ({ metadata: { id } }));
  deepEqual(await through(new Deduplicator({ field: "metadata.id" }), ids), [
    ids[0],
    ids[1],
    ids[3],
    ids[4],
  ]);
});

Deno.test("Deduplicator forgets the least recently seen, and with size 1 all but the last", async () => {
  deepEqual(await through(new Deduplicator({ size: 2 }), [1, 2, 1, 3, 2, 1]), [1, 2, 3, 2, 1]);
  deepEqual(await through(new Deduplicator({ size: 1 }), [1, 1, 2, 1, 1]), [1, 2, 1]);
});

Deno.test("Tap lets an observer see everything that it reads in time", async () => {
  const tap = new Tap<number>();
  const seen = Array.fromAsync(tap.observe());
  deepEqual(await Array.fromAsync(new Pipeline([tap]).run([1, 2, 3])), [1, 2, 3]);
  deepEqual(await seen, [1, 2, 3]);
});

Deno.test("Tap never waits for an observer: it drops the oldest", async () => {
  const tap = new Tap<number>({ level: "off" });
  const [slow, gone] = [tap.observe({ size: 3 }), tap.observe()];
  await gone.cancel();
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  deepEqual(await Array.fromAsync(new Pipeline([tap]).run(numbers)), numbers);
  deepEqual(await Array.fromAsync(slow), [997, 998, 999]);
  deepEqual(await Array.fromAsync(tap.observe()), []);
});

Deno.test("Tap fails its observers with what the stream failed with", async () => {
  const tap = new Tap<number>();
  class Fail extends Node<number, number> {
    process(): number {
      throw new Error("broken");
    }
  }
  const seen = Array.fromAsync(tap.observe());
  seen.catch(() => {});
  await rejects(Array.fromAsync(new Pipeline([tap, new Fail()]).run([1])), /broken/);
  await rejects(seen, /broken/);
});

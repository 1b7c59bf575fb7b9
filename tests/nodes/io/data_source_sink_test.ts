import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { Pipeline, PipelineError } from "../../../core/mod.ts";
import { DataSink } from "../../../nodes/io/data_sink.ts";
import { DataSource } from "../../../nodes/io/data_source.ts";
import { endlessSource, failingSource, nodeContract } from "../../../testing/mod.ts";

const inputs = () => [1, 2, 3, 4];
for (
  const { name, run } of nodeContract({
    create: (config) => new DataSource<number>({}, config),
    inputs,
    refused: [[() => new DataSource({ size: 0 }), /DataSource.*"size"/]],
  })
) Deno.test(`DataSource ${name}`, run);
for (
  const { name, run } of nodeContract({
    create: (config) => new DataSink<number>({}, config),
    inputs,
    refused: [[() => new DataSink({ overflow: "burst" as never }), /DataSink.*"overflow"/]],
  })
) Deno.test(`DataSink ${name}`, run);

Deno.test("DataSource is the source of a pipeline, through interrupts", async () => {
  const source = new DataSource<number>();
  const pipeline = new Pipeline([new DataSink<number>()]);
  const output = Array.fromAsync(pipeline.run(source.readable));
  await source.push(1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await pipeline.interrupt();
  await source.push(2);
  await source.end();
  deepEqual(await output, [1, 2]);
});

Deno.test("DataSource holds up who pushes, and refuses who does not wait", async () => {
  const source = new DataSource<number>({ size: 2 });
  let pushed = 0;
  const pushing = (async () => {
    for (; pushed < 20; pushed++) await source.push(pushed);
    await source.end();
  })();
  await new Promise((resolve) => setTimeout(resolve, 20));
  ok(pushed <= 3, `${pushed} chunks were taken unread`);
  deepEqual(
    await Array.fromAsync(source.readable),
    Array.from({ length: 20 }, (_, index) => index),
  );
  await pushing;

  const hasty = new DataSource<number>({ size: 3 });
  await rejects(
    Promise.all(Array.from({ length: 50 }, (_, index) => hasty.push(index))),
    /Cannot push chunk as at most 3 calls may wait: await them: current value is 3/,
  );
});

Deno.test("DataSource that may drop never holds up", async () => {
  for (const [overflow, kept] of [["drop-oldest", [98, 99]], ["drop-newest", [0, 1]]] as const) {
    const source = new DataSource<number>({ size: 2, overflow });
    for (let index = 0; index < 100; index++) await source.push(index);
    const [received] = await Promise.all([Array.fromAsync(source.readable), source.end()]);
    deepEqual(received.slice(-2).length, 2);
    ok(kept.every((chunk) => received.includes(chunk)) && received.length <= 5, `${received}`);
  }
});

Deno.test("DataSource tells who pushes that its reader is gone, and its reader that it fails", async () => {
  const source = new DataSource<number>();
  await source.readable.cancel(new Error("gone"));
  await rejects(source.push(1), /gone/);
  const broken = new DataSource<number>();
  const reading = rejects(Array.fromAsync(broken.readable), /unplugged/);
  await broken.push(1);
  await broken.fail(new Error("unplugged"));
  await reading;
  const piped = new DataSource<number>();
  const output = Array.fromAsync(ReadableStream.from([1]).pipeThrough(piped));
  await rejects(piped.push(2), PipelineError);
  deepEqual(await output, [1]);
});

Deno.test("DataSink gives chunks one by one, then the rest, then undefined", async () => {
  const sink = new DataSink<number>();
  const piped = ReadableStream.from([1, 2, 3]).pipeTo(sink.writable);
  equal(await sink.take(), 1);
  deepEqual(await Array.fromAsync(sink), [2, 3]);
  equal(await sink.take(), undefined);
  await piped;
  throws(() => sink.readable.getReader());
});

Deno.test("DataSink holds up a stream whose chunks are not taken", async () => {
  const sink = new DataSink<number>({ size: 4 });
  const source = endlessSource((index) => index);
  const piped = source.stream.pipeTo(sink.writable);
  await new Promise((resolve) => setTimeout(resolve, 20));
  ok(source.produced <= 6, `${source.produced}`);
  for await (const chunk of sink) if (chunk === 10) break;
  ok(source.produced <= 18, `${source.produced}`);
  await piped.catch(() => {});
  await source.cancelled;
});

Deno.test("DataSink fails with what the stream failed with", async () => {
  const sink = new DataSink<number>();
  failingSource([1], new Error("unplugged")).pipeTo(sink.writable).catch(() => {});
  await rejects(Array.fromAsync(sink), /unplugged/);
});

Deno.test("DataSource refuses what is pushed after its end, and ends once", async () => {
  const source = new DataSource<number>();
  const received = Array.fromAsync(source.readable);
  await source.push(1);
  const ended = source.end();
  await rejects(source.push(2), { name: "PipelineError", message: /has ended/ });
  await Promise.all([ended, source.end()]);
  await rejects(source.push(3), { name: "PipelineError", message: /has ended/ });
  deepEqual(await received, [1]);
});

Deno.test("DataSource that may drop chunks refuses none", async () => {
  for (const overflow of ["drop-oldest", "drop-newest"] as const) {
    const source = new DataSource<number>({ size: 2, overflow });
    const reader = source.readable.getReader();
    await Promise.all(Array.from({ length: 100 }, (_, index) => source.push(index)));
    const ended = source.end();
    const received: number[] = [];
    for (let step; !(step = await reader.read()).done;) received.push(step.value);
    await ended;
    ok(received.length <= 4, `${received}`);
    equal(received.at(-1) === 99, overflow === "drop-oldest");
  }
});

/**
 * The remote line against a bare grpc-js bidi echo, both with both ends in this process, in turns: time of
 * a round trip of 640 B, small chunks a second, MB/s in 1 MiB frames. The best of the turns counts, as
 * whatever disturbs a turn only makes it slower.
 */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import { AudioFrame, Pipeline } from "../core/mod.ts";
import { PassThrough } from "../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../remote/mod.ts";
import { serve } from "../remote/server/mod.ts";

const TURNS = 5;
const big = 2 ** 20;

const same = (bytes: Buffer) => bytes;
const echo = new Server({ "grpc.max_receive_message_length": -1 });
echo.addService({
  echo: {
    path: "/bench.Echo/Echo",
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
}, {
  echo: (call: import("@grpc/grpc-js").ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (bytes: Buffer) => {
      if (call.write(bytes)) return;
      call.pause();
      call.once("drain", () => call.resume());
    });
    call.on("end", () => call.end());
  },
});
const echoPort = await new Promise<number>((resolve, reject) => {
  echo.bindAsync(
    "127.0.0.1:0",
    ServerCredentials.createInsecure(),
    (error, port) => error === null ? resolve(port) : reject(error),
  );
});
const client = new Client(`127.0.0.1:${echoPort}`, credentials.createInsecure(), {
  "grpc.max_receive_message_length": -1,
});
const server = await serve({ port: 0, userCode: false });
const executor = new RemoteExecutor({ port: server.port });

function openEcho(): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest("/bench.Echo/Echo", same, same);
}

/** Milliseconds from a message to its echo: the median of many. */
async function echoRoundTrip(count: number): Promise<number> {
  const call = openEcho();
  const message = Buffer.alloc(640);
  const times: number[] = [];
  let back = () => {};
  call.on("data", () => back());
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const received = new Promise<void>((resolve) => back = resolve);
    call.write(message);
    await received;
    times.push(performance.now() - start);
  }
  call.end();
  return times.toSorted((a, b) => a - b)[count >> 1]!;
}

async function ourRoundTrip(count: number): Promise<number> {
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  const frame = new AudioFrame({ data: new Float32Array(160), sampleRate: 16_000 });
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    void writer.write(frame);
    await reader.read();
    times.push(performance.now() - start);
  }
  await reader.cancel();
  return times.toSorted((a, b) => a - b)[count >> 1]!;
}

/** Messages a second, as many on their way as the streams take. */
async function echoRate(size: number, count: number): Promise<number> {
  const call = openEcho();
  const message = Buffer.alloc(size);
  const start = performance.now();
  let received = 0;
  const done = new Promise<void>((resolve) => {
    call.on("data", () => {
      if (++received === count) resolve();
    });
  });
  for (let index = 0; index < count; index++) {
    if (!call.write(message)) await new Promise<void>((resolve) => call.once("drain", resolve));
  }
  await done;
  call.end();
  return count / (performance.now() - start) * 1_000;
}

async function ourRate(chunk: unknown, count: number): Promise<number> {
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  let left = count;
  const source = new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const start = performance.now();
  let received = 0;
  for await (const _ of pipeline.run(source)) received++;
  if (received !== count) throw new Error(`${received} of ${count} came back`);
  return count / (performance.now() - start) * 1_000;
}

async function bestOf(
  measures: (() => Promise<number>)[],
  better: (...all: number[]) => number,
): Promise<number[]> {
  const all: number[][] = measures.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, measure] of measures.entries()) all[index]!.push(await measure());
  }
  return all.map((values) => better(...values));
}

let failed = false;
function report(
  name: string,
  { ours, bare, ratio, bar, aim, atMost = false }: {
    ours: string;
    bare: string;
    ratio: number;
    /** Below it the bench fails; without one it only tells. */
    bar?: number;
    /** What is wanted in the end. */
    aim?: number;
    atMost?: boolean;
  },
): void {
  const meets = (wanted: number) => atMost ? ratio <= wanted : ratio >= wanted;
  const rules: string[] = [];
  if (bar !== undefined) {
    failed ||= !meets(bar);
    rules.push(`${atMost ? "at most" : "at least"} ${bar}: ${meets(bar) ? "ok" : "FAIL"}`);
  }
  if (aim !== undefined) rules.push(`aim ${aim}: ${meets(aim) ? "met" : "not yet met"}`);
  console.log(
    `${name}: ${ours} against ${bare}, ratio ${ratio.toFixed(2)} (${
      rules.join("; ") || "told only"
    })`,
  );
}

await ourRoundTrip(5_000); // compiled before it is timed
await echoRoundTrip(5_000);
const [ourMs, echoMs] = await bestOf(
  [() => ourRoundTrip(3_000), () => echoRoundTrip(3_000)],
  Math.min,
);
report("640 B round trip", {
  ours: `${ourMs!.toFixed(3)} ms`,
  bare: `${echoMs!.toFixed(3)} ms`,
  ratio: ourMs! / echoMs!,
  bar: 1.5,
  aim: 1.3,
  atMost: true,
});
const value = { id: 12345, text: "hello world", score: 0.75 };
const frame = new AudioFrame({ data: new Float32Array(160), sampleRate: 16_000 });
const [values, frames, messages] = await bestOf([
  () => ourRate(value, 100_000),
  () => ourRate(frame, 50_000),
  () => echoRate(640, 10_000),
], Math.max);
const perSecond = (count: number) => `${Math.round(count).toLocaleString("en")}/s`;
report("small values", {
  ours: perSecond(values!),
  bare: perSecond(messages!),
  ratio: values! / messages!,
  bar: 10,
  aim: 20,
});
report("640 B frames", {
  ours: perSecond(frames!),
  bare: perSecond(messages!),
  ratio: frames! / messages!,
});
const bigFrame = new AudioFrame({ data: new Float32Array(big / 4), sampleRate: 16_000 });
const [ourBig, echoBig] = await bestOf([
  () => ourRate(bigFrame, 150),
  () => echoRate(big, 150),
], Math.max);
report("1 MiB frames", {
  ours: `${(ourBig! * big / 1e6).toFixed(0)} MB/s`,
  bare: `${(echoBig! * big / 1e6).toFixed(0)} MB/s`,
  ratio: ourBig! / echoBig!,
  aim: 0.9,
});
await executor[Symbol.asyncDispose]();
await server.close();
client.close();
echo.forceShutdown();
Deno.exit(failed ? 1 : 0);

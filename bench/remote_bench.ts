/**
 * The remote line against bare bidi echoes, in turns: time of a round trip of 640 B, small chunks a second,
 * MB/s in 1 MiB frames. One echo is grpc-js with both ends in this process, as ours are; the other has a
 * server of Python's grpcio in a process of its own. Echoes have gRPC's defaults, while ours sets a
 * larger flow-control window. The best of the turns counts, as whatever disturbs a turn
 * only makes it slower.
 */
import { AudioFrame, Pipeline } from "../core/mod.ts";
import { PassThrough } from "../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../remote/mod.ts";
import { serve } from "../remote/server/mod.ts";
import { startEcho, startPythonEcho } from "./_echo.ts";

const TURNS = 5;
const big = 2 ** 20;

await using echo = await startEcho();
const python = await startPythonEcho();
if ("skipped" in python) console.log(`Python grpcio skipped: ${python.skipped}`);
const peers = "skipped" in python ? [echo] : [echo, python];
const server = await serve({ port: 0, userCode: false });
const executor = new RemoteExecutor({ port: server.port });

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

interface Rules {
  /** How a figure is written. */
  text: (value: number) => string;
  /** Below it the bench fails; without one it only tells. One a peer. */
  bars?: readonly [number, number];
  atMost?: boolean;
}

let failed = false;
/** Tells one of our figures beside each peer's. */
function report(
  name: string,
  [ours, theirs]: [number, number[]],
  { text, bars, atMost = false }: Rules,
): void {
  for (const [index, bare] of theirs.entries()) {
    const ratio = ours / bare;
    const meets = (wanted: number) => atMost ? ratio <= wanted : ratio >= wanted;
    const rules: string[] = [];
    const bar = bars?.[index];
    if (bar !== undefined) {
      failed ||= !meets(bar);
      rules.push(`${atMost ? "at most" : "at least"} ${bar}: ${meets(bar) ? "ok" : "FAIL"}`);
    }
    const peer = index === 0 ? "grpc-js" : "Python grpcio";
    console.log(
      `${name}: ${text(ours)} against ${peer}'s ${text(bare)}, ratio ${ratio.toFixed(2)} (${
        rules.join("; ") || "told only"
      })`,
    );
  }
}

for (const peer of peers) await peer.roundTrip(2_000); // compiled before it is timed
await ourRoundTrip(5_000);
const [ourMs, ...peerMs] = await bestOf(
  [() => ourRoundTrip(2_000), ...peers.map((peer) => () => peer.roundTrip(2_000))],
  Math.min,
);
report("640 B round trip", [ourMs!, peerMs], {
  text: (ms) => `${ms.toFixed(3)} ms`,
  bars: [1.3, 1],
  atMost: true,
});
const value = { id: 12345, text: "hello world", score: 0.75 };
const frame = new AudioFrame({ data: new Float32Array(160), sampleRate: 16_000 });
const [values, frames, ...messages] = await bestOf([
  () => ourRate(value, 100_000),
  () => ourRate(frame, 30_000),
  ...peers.map((peer) => () => peer.rate(640, 8_000)),
], Math.max);
const perSecond = (count: number) => `${Math.round(count).toLocaleString("en")}/s`;
report("small values", [values!, messages], { text: perSecond, bars: [20, 20] });
report("640 B frames", [frames!, messages], { text: perSecond });
const bigFrame = new AudioFrame({ data: new Float32Array(big / 4), sampleRate: 16_000 });
const [ourBig, ...bigMessages] = await bestOf([
  () => ourRate(bigFrame, 60),
  ...peers.map((peer) => () => peer.rate(big, 60)),
], Math.max);
report("1 MiB frames", [ourBig!, bigMessages], {
  text: (count) => `${(count * big / 1e6).toFixed(0)} MB/s`,
  bars: [0.9, 0.8],
});
await executor[Symbol.asyncDispose]();
await server.close();
if (!("skipped" in python)) await python[Symbol.asyncDispose]();
Deno.exitCode = failed ? 1 : 0;

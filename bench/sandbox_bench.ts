/**
 * User code in sandboxes: the time to the first result, round trips and throughput, beside the bare start of a
 * process, a bare Unix socket, and the same work of a server's own nodes. The server is a process of its own.
 */

import { AudioFrame, PassThrough, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
import { createBundle } from "../packaging/mod.ts";
import { SandboxExecutor } from "../remote/sandbox/mod.ts";
import { compare, median } from "./_compare.ts";
import { Echo, type echo } from "./_bench_nodes.ts";
import { startServer } from "./_server_process.ts";

const folder = await Deno.makeTempDir();
let made = 0;

/** A small module that no server has seen, packaged already. */
async function newModule(): Promise<string> {
  const path = `${folder}/small_${made++}.ts`;
  await Deno.writeTextFile(
    path,
    `export function echo(value: number): number { return value + ${made}; }`,
  );
  await createBundle(`file://${path}`);
  return `file://${path}`;
}

/** Prints a median and holds it against its bar. */
function report(name: string, times: readonly number[], atMostMs?: number): void {
  const ms = median(times);
  const bar = atMostMs === undefined
    ? ""
    : `, at most ${atMostMs.toFixed(2)}: ${ms <= atMostMs ? "ok" : "ABOVE"}`;
  console.log(`  ${name.padEnd(50)} ${ms.toFixed(2).padStart(8)} ms${bar}`);
  if (atMostMs !== undefined && ms > atMostMs) Deno.exitCode = 1;
}

async function timesOf(
  rounds: number,
  run: () => Promise<unknown>,
  between = 0,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (between > 0) await new Promise((resolve) => setTimeout(resolve, between));
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}

/** What the start and end of a bare process take where the bars in ms were set. */
const BARE_START_MS = 40;

async function processStart(): Promise<void> {
  const args = ["run", "--no-config", "--no-lock", "--no-code-cache", `${folder}/nothing.js`];
  await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
}

/** Times something in turns with a bare process; where that takes longer, the bar is higher by as much. */
async function besideProcesses(
  name: string,
  atMostMs: number,
  run: () => Promise<() => Promise<void>>,
): Promise<void> {
  const starts: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    starts.push(...await timesOf(1, processStart));
    const timed = await run();
    times.push(...await timesOf(1, timed, 400)); // the pool is full again
  }
  report("bare: start and end of a process", starts);
  report(name, times, atMostMs * Math.max(1, median(starts) / BARE_START_MS));
}

/** Round trips of one byte over a Unix socket to another process. */
async function socketEcho(rounds: number): Promise<number[]> {
  const path = `${folder}/echo`;
  using listener = Deno.listen({ transport: "unix", path });
  const code = `const connection = await Deno.connect({ transport: "unix", path: "${path}" });
    const byte = new Uint8Array(1);
    while (await connection.read(byte) !== null) await connection.write(byte);`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
  const connection = await listener.accept();
  const byte = new Uint8Array(1);
  const pass = async () => {
    await connection.write(byte);
    await connection.read(byte);
  };
  await timesOf(100, pass);
  const times = await timesOf(rounds, pass);
  connection.close();
  await child.status;
  return times;
}

/** The time until the first result of a module on a server. */
async function firstResult(executor: RemoteExecutor, module: string): Promise<void> {
  const loaded = await executor.import<{ echo(value: number): number }>(module);
  await loaded.echo(1);
  void loaded[Symbol.asyncDispose]();
}

await Deno.writeTextFile(`${folder}/nothing.js`, "");
console.log("first result of a bundle, upload included");
for (const [pool, warm, atMostMs] of [["cold", 0, 150], ["warm", 1, 40]] as const) {
  await using server = await startServer({ warm });
  await using executor = new RemoteExecutor({ port: server.port });
  const known = await newModule();
  await firstResult(executor, known); // connects; V8 compiles
  await besideProcesses(`new bundle, ${pool} pool`, atMostMs, async () => {
    const module = await newModule();
    return () => firstResult(executor, module);
  });
  if (warm === 0) continue;
  await besideProcesses("known bundle, warm pool", 20, async () => {
    await Promise.resolve();
    return () => firstResult(executor, known);
  });
}

console.log("round trip of one chunk or call");
await using server = await startServer({ warm: 1 });
await using executor = new RemoteExecutor({ port: server.port });
await using sandbox = new SandboxExecutor();
const url = new URL("./_bench_nodes.ts", import.meta.url);

/** Sends one frame and waits for it, again and again. */
function frameTrips(node: PassThrough | Echo): { pass(): Promise<void>; end(): Promise<void> } {
  const frame = new AudioFrame({ data: new Float32Array(160), sampleRate: 16_000 });
  const pipeline = new Pipeline([node] as never) as unknown as Pipeline;
  const writer = pipeline.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
  const reader = pipeline.readable.getReader();
  return {
    pass: async () => {
      void writer.write(frame);
      await reader.read();
    },
    end: async () => {
      void writer.close();
      await reader.read();
    },
  };
}

report("bare: round trip over a Unix socket", await socketEcho(2000));
{
  const own = frameTrips(new PassThrough({}, { executor }));
  const boxed = frameTrips(new Echo({}, { executor }));
  const local = frameTrips(new Echo({}, { executor: sandbox }));
  await using module = await executor.import<{ echo: typeof echo }>(url);
  await using here = await sandbox.import<{ echo: typeof echo }>(url);
  const contenders: (() => Promise<unknown>)[] = [
    own.pass,
    boxed.pass,
    local.pass,
    async () => await module.echo(1),
    async () => await here.echo(1),
  ];
  const times = contenders.map((): number[] => []);
  for (let round = 0; round < 6; round++) {
    for (const [index, pass] of contenders.entries()) {
      const some = await timesOf(100, pass);
      if (round > 0) times[index]!.push(...some); // V8 compiles
    }
  }
  const [bare, frame, frameHere, call, callHere] = times as [number[], ...number[][]];
  report("640 B frame: server's own node", bare);
  // a frame passes two segments and their streams, a call none
  report("640 B frame: user code on the server", frame!, 3 * median(bare));
  report("640 B frame: user code in a sandbox here", frameHere!);
  report("remote call through the sandbox", call!, 2 * median(bare));
  report("call into a sandbox here", callHere!);
  for (const { end } of [own, boxed, local]) await end();
}

console.log("frames of 1 MiB");
const frames = Array.from(
  { length: 50 },
  () => new AudioFrame({ data: new Float32Array(1 << 18), sampleRate: 48_000 }),
);

/** Sends all frames through a line that stays open. */
function frameFlow(node: PassThrough | Echo): () => Promise<number> {
  const pipeline = new Pipeline([node] as never) as unknown as Pipeline;
  const writer = pipeline.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
  const reader = pipeline.readable.getReader();
  return async () => {
    const write = async () => {
      for (const frame of frames) await writer.write(frame);
    };
    const read = async () => {
      for (const _ of frames) await reader.read();
    };
    await Promise.all([write(), read()]);
    return frames.length;
  };
}

// a server each: what one leaves behind is not collected while the other is timed
await using other = await startServer({ warm: 1 });
await using toOther = new RemoteExecutor({ port: other.port });
await compare(
  { name: "server's own node", run: frameFlow(new PassThrough({}, { executor: toOther })) },
  { name: "user code on the server", run: frameFlow(new Echo({}, { executor })) },
  { atLeast: 0.7, unit: "MiB" },
);
const local = await timesOf(5, frameFlow(new Echo({}, { executor: sandbox })));
console.log(
  `  user code in a sandbox here ${(frames.length * 1000 / median(local)).toFixed(0)} MiB/s`,
);
await Deno.remove(folder, { recursive: true });

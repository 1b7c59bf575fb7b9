/**
 * User code in sandboxes: the time to the first result, round trips and throughput, beside the bare start of a
 * process, a bare Unix socket, and the same work of a server's own nodes.
 */

import { AudioFrame, PassThrough, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
import { createBundle } from "../packaging/mod.ts";
import { serve } from "../remote/server/mod.ts";
import { SandboxExecutor } from "../remote/sandbox/mod.ts";
import { compare, median } from "./_compare.ts";
import { Echo, type echo } from "./_bench_nodes.ts";

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
    : ms <= atMostMs
    ? `, at most ${atMostMs}: ok`
    : `, at most ${atMostMs}: ABOVE`;
  console.log(`  ${name.padEnd(60)} ${ms.toFixed(2).padStart(8)} ms${bar}`);
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

async function processStart(): Promise<void> {
  const args = ["run", "--no-config", "--no-lock", "--no-code-cache", `${folder}/nothing.js`];
  await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
}

/** Round trips of one byte over a Unix socket of this process. */
async function socketEcho(rounds: number): Promise<number[]> {
  const path = `${folder}/echo`;
  using listener = Deno.listen({ transport: "unix", path });
  const answer = listener.accept().then(async (connection) => {
    const byte = new Uint8Array(1);
    while (await connection.read(byte) !== null) await connection.write(byte);
    connection.close();
  });
  const connection = await Deno.connect({ transport: "unix", path });
  const byte = new Uint8Array(1);
  const times = await timesOf(rounds, async () => {
    await connection.write(byte);
    await connection.read(byte);
  });
  connection.close();
  await answer;
  return times;
}

/** The time until the first result of a module on a server. */
async function firstResult(executor: RemoteExecutor, module: string): Promise<void> {
  const loaded = await executor.import<{ echo(value: number): number }>(module);
  await loaded.echo(1);
  void loaded[Symbol.asyncDispose]();
}

await Deno.writeTextFile(`${folder}/nothing.js`, "");
console.log("first result of a bundle, client and server in one process");
report("bare: start and end of a process", await timesOf(11, processStart));
report("bare: round trip over a Unix socket", await socketEcho(2000));
{
  await using server = await serve({ port: 0, userCode: { warm: 0 } });
  await using executor = new RemoteExecutor({ port: server.port });
  await executor.listNodes(); // connects
  const times: number[] = [];
  for (let round = 0; round < 11; round++) {
    const module = await newModule();
    times.push(...await timesOf(1, () => firstResult(executor, module), 100));
  }
  report("new bundle, cold pool", times, 150);
}
{
  await using server = await serve({ port: 0, userCode: { warm: 1 } });
  await using executor = new RemoteExecutor({ port: server.port });
  const known = await newModule();
  await firstResult(executor, known);
  const times: number[] = [];
  for (let round = 0; round < 11; round++) {
    const module = await newModule();
    times.push(...await timesOf(1, () => firstResult(executor, module), 400));
  }
  report("new bundle, warm pool", times, 40);
  report("known bundle, warm pool", await timesOf(11, () => firstResult(executor, known), 400), 20);
}

console.log("round trip of one chunk or call");
await using server = await serve({ port: 0 });
await using executor = new RemoteExecutor({ port: server.port });
await using sandbox = new SandboxExecutor();
const url = new URL("./_bench_nodes.ts", import.meta.url);
{
  const frame = new AudioFrame({ data: new Float32Array(160), sampleRate: 16_000 });
  const roundTrips = async (pipeline: Pipeline) => {
    const writer = pipeline.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
    const reader = pipeline.readable.getReader();
    const pass = async () => {
      void writer.write(frame);
      await reader.read();
    };
    await timesOf(100, pass);
    const times = await timesOf(1000, pass);
    void writer.close();
    await reader.read();
    return times;
  };
  const bare = await roundTrips(new Pipeline([new PassThrough({}, { executor })]) as never);
  const boxed = await roundTrips(new Pipeline([new Echo({}, { executor })]) as never);
  const local = await roundTrips(new Pipeline([new Echo({}, { executor: sandbox })]) as never);
  report("640 B frame: server's own node", bare);
  report("640 B frame: user code on the server", boxed, 2 * median(bare));
  report("640 B frame: user code in a sandbox here", local);
  await using module = await executor.import<{ echo: typeof echo }>(url);
  await timesOf(100, () => module.echo(1));
  report(
    "remote call through the sandbox",
    await timesOf(1000, () => module.echo(1)),
    2 * median(bare),
  );
  await using here = await sandbox.import<{ echo: typeof echo }>(url);
  await timesOf(100, () => here.echo(1));
  report("call into a sandbox here", await timesOf(1000, () => here.echo(1)));
}

console.log("frames of 1 MiB");
const frames = Array.from(
  { length: 100 },
  () => new AudioFrame({ data: new Float32Array(1 << 18), sampleRate: 48_000 }),
);
const pass = async (pipeline: Pipeline): Promise<number> => {
  let count = 0;
  for await (const _ of pipeline.run(frames as never)) count++;
  return count;
};
await compare(
  {
    name: "server's own node",
    run: () => pass(new Pipeline([new PassThrough({}, { executor })]) as never),
  },
  {
    name: "user code on the server",
    run: () => pass(new Pipeline([new Echo({}, { executor })]) as never),
  },
  { atLeast: 0.7, unit: "MiB", rounds: 5 },
);
const local = await timesOf(
  5,
  () => pass(new Pipeline([new Echo({}, { executor: sandbox })]) as never),
);
console.log(
  `  user code in a sandbox here ${(frames.length * 1000 / median(local)).toFixed(0)} MiB/s`,
);
await Deno.remove(folder, { recursive: true });

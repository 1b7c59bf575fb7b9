import assert from "node:assert/strict";
import { Marker, Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";
import { SlowDouble, testNodes } from "./_nodes.ts";

const elapsed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from 0 to 1, the same for a seed (Mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A server that is ended and started again on the same port. */
async function startServer(): Promise<
  { port: number; restart(downMs: number): void } & AsyncDisposable
> {
  const start = (port: number) => serve({ port, nodes: testNodes, userCode: false });
  let server = await start(0);
  const { port } = server;
  let under = Promise.resolve();
  return {
    port,
    restart(downMs) {
      under = under.then(async () => {
        await server.close();
        await elapsed(downMs);
        server = await start(port);
      });
    },
    async [Symbol.asyncDispose]() {
      await under;
      await server.close();
    },
  };
}

/** One session of interrupts, with restarts of its server before, amid and after them. */
async function storm(seed: number): Promise<void> {
  const random = randomOf(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  await using server = await startServer();
  await using executor = new RemoteExecutor({
    port: server.port,
    maxInFlight: 1 + upTo(random() < 0.5 ? 4 : 60),
    maxInFlightBytes: 1 + upTo(20_000),
    snapshotIntervalMs: upTo(20),
    retry: { attempts: 2_000, minDelayMs: 1, maxDelayMs: 20 },
  });
  const config = { executor };
  const pipeline = random() < 0.5
    ? new Pipeline([new SlowDouble({}, { ...config, concurrency: 3 }), new PassThrough({}, config)])
    : new Pipeline([new PassThrough({}, config), new PassThrough({}, { ...config, name: "last" })]);
  const factor = pipeline.nodes[0] instanceof SlowDouble ? 2 : 1;
  const writer = pipeline.writable.getWriter();
  const outputs: unknown[] = [];
  const reading = (async () => {
    for await (const output of pipeline.readable) outputs.push(output);
  })();
  const kept: unknown[] = []; // what no interrupt may drop
  let next = 0;
  const write = (isKept: boolean) => {
    const chunk = random() < 0.08 ? new Marker({ name: `${next}` }) : next;
    if (isKept || chunk instanceof Marker) {
      kept.push(chunk instanceof Marker ? chunk : factor * next);
    }
    next++;
    writer.write(chunk as never).catch(() => {}); // its reader is told
  };
  while (next === 0 || kept.at(-1) instanceof Marker) write(true);
  while (outputs.length === 0) await elapsed(2); // a session that never ran does not go on elsewhere
  for (let left = 1 + upTo(4); left > 0; left--) {
    write(true);
    while (!outputs.includes(kept.at(-1)) && !(kept.at(-1) instanceof Marker)) await elapsed(2);
    for (let count = upTo(80); count > 0; count--) write(false);
    const restartAt = upTo(3);
    if (restartAt === 0) server.restart(upTo(20));
    await elapsed(upTo(20));
    const interrupted = pipeline.interrupt();
    if (restartAt === 1) server.restart(upTo(20));
    await interrupted;
    if (restartAt === 2) server.restart(upTo(20));
  }
  write(true);
  await writer.close();
  await reading;
  const wanted = new Set(kept);
  const markers = outputs.filter((output) => output instanceof Marker).length;
  assert.equal(markers, kept.filter((chunk) => chunk instanceof Marker).length, "markers");
  const isKept = (output: unknown) => output instanceof Marker || wanted.has(output);
  assert.deepEqual(outputs.filter(isKept), kept);
  const numbers = outputs.filter((output) => typeof output === "number");
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), "order");
  assert.equal(new Set(numbers).size, numbers.length, "doubled");
}

Deno.test("RemoteExecutor loses and doubles nothing but what an interrupt drops, while its server ends", async () => {
  const first = Math.floor(Math.random() * 1e6);
  console.log(`seeds from ${first}`);
  for (let seed = first; seed < first + 16; seed++) {
    await storm(seed).catch((cause) => {
      throw new Error(`With seed ${seed}: ${cause.message}`, { cause });
    });
  }
});

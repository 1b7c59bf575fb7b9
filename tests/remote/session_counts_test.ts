import assert from "node:assert/strict";
import { type AnyNode, type NodeConfig, NodeError, Pipeline } from "../../core/mod.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { type ChildServer, startChild } from "./_child_server.ts";
import { FailOn, Numbered, SlowDouble } from "./_nodes.ts";
import { ThrowAt } from "./sandbox/_user_nodes.ts";

const COUNT = 400;

/** Runs numbers through a line whose server is killed after some of them, and started again. */
async function runKilled(
  makeLine: (config: NodeConfig) => AnyNode[],
  killAfter: readonly number[],
): Promise<{ pipeline: Pipeline; outputs: unknown[]; error: unknown }> {
  let server: ChildServer = await startChild();
  const { port } = server;
  await using executor = new RemoteExecutor({
    port,
    maxInFlight: 64,
    snapshotIntervalMs: 20,
    retry: { attempts: 1_000, maxDelayMs: 200 },
  });
  const pipeline = new Pipeline(makeLine({ executor }) as never) as unknown as Pipeline;
  const outputs: unknown[] = [];
  let error: unknown;
  try {
    const inputs = Array.from({ length: COUNT }, (_, index) => index);
    for await (const output of pipeline.run(inputs as never[])) {
      outputs.push(output);
      if (!killAfter.includes(outputs.length)) continue;
      await server.kill();
      server = await startChild(port);
    }
  } catch (failure) {
    error = failure;
  }
  await server.kill();
  return { pipeline, outputs, error };
}

const told = (pipeline: Pipeline) =>
  pipeline.stats().map(({ name, in: taken, out, dropped, errors }) => [
    name,
    taken,
    out,
    dropped,
    errors,
  ]);

Deno.test("Stats of a session count on where its server is killed, as they do here", async () => {
  const line = (config: NodeConfig) => [
    new SlowDouble({}, { ...config, concurrency: 3 }),
    new Numbered({}, config),
    new SlowDouble({}, { ...config, name: "last" }),
  ];
  const { pipeline, outputs, error } = await runKilled(line, [70, 180]);
  assert.equal(error, undefined);
  assert.equal(outputs.length, COUNT);
  assert.deepEqual(told(pipeline), [
    ["SlowDouble", COUNT, COUNT, 0, 0],
    ["Numbered", COUNT, COUNT, 0, 0],
    ["last", COUNT, COUNT, 0, 0],
  ]);
  const busyMs = pipeline.stats()[2]!.busyMs; // it sleeps a millisecond for each chunk
  assert.ok(busyMs > 0.9 * COUNT, `${busyMs} ms`);
});

Deno.test("NodeError names the chunk by its number in the session, not since its server was killed", async () => {
  const line = (config: NodeConfig) => [
    new SlowDouble({}, config),
    new FailOn({ number: 500 }, config),
  ];
  const { pipeline, outputs, error } = await runKilled(line, [100]);
  assert.equal(outputs.length, 250);
  assert.ok(error instanceof NodeError);
  assert.equal(error.chunkIndex, 250);
  assert.match(error.message, /on chunk 250/);
  assert.match(error.stack!, /on chunk 250/);
  assert.deepEqual(told(pipeline)[1], ["FailOn", 251, 250, 0, 1]);
});

Deno.test("Stats and errors of the user's own nodes count on where their server is killed", async () => {
  const line = (config: NodeConfig) => [
    new SlowDouble({}, config),
    new ThrowAt({ at: 500 }, config),
  ];
  const { pipeline, outputs, error } = await runKilled(line, [100]);
  assert.equal(outputs.length, 250);
  assert.ok(error instanceof NodeError);
  assert.equal(error.chunkIndex, 250);
  assert.deepEqual(told(pipeline)[1], ["ThrowAt", 251, 250, 0, 1]);
});

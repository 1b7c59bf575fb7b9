import assert from "node:assert/strict";
import { AudioFrame, Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { startChild } from "./_child_server.ts";
import { killStorm } from "./_kill_storm.ts";
import { SlowDouble, Stuck } from "./_nodes.ts";

Deno.test("RemoteExecutor loses, doubles and reorders nothing while its servers are killed", async () => {
  const { kills, longestStallMs } = await killStorm({ frames: 600, kills: 4, paceMs: 8 });
  console.log(`killed ${kills} times, longest stall ${longestStallMs} ms`);
  assert.equal(kills, 4);
});

Deno.test("RemoteExecutor replays stateless nodes on the same server started again", async () => {
  const first = await startChild();
  await using executor = new RemoteExecutor({ port: first.port, retry: { attempts: 30 } });
  const pipeline = new Pipeline([new SlowDouble({}, { executor })]);
  const outputs: number[] = [];
  let again: ReturnType<typeof startChild> | undefined;
  for await (const output of pipeline.run(Array.from({ length: 2_000 }, (_, index) => index))) {
    outputs.push(output);
    if (outputs.length === 500) again = first.kill().then(() => startChild(first.port));
  }
  assert.deepEqual(outputs, Array.from({ length: 2_000 }, (_, index) => 2 * index));
  await (await again)![Symbol.asyncDispose]();
});

Deno.test("RemoteExecutor sends large frames again as they were, though it uses memory again", async () => {
  const first = await startChild();
  await using executor = new RemoteExecutor({ port: first.port, retry: { attempts: 30 } });
  const lengthOf = (index: number) => 20_000 + (index * 7_919) % 40_000;
  const frames = Array.from({ length: 300 }, (_, index) => {
    return new AudioFrame({
      data: new Float32Array(lengthOf(index)).fill(index),
      sampleRate: 16_000,
    });
  });
  let again: ReturnType<typeof startChild> | undefined;
  let index = 0;
  for await (
    const { data } of new Pipeline([new PassThrough<AudioFrame>({}, { executor })]).run(frames)
  ) {
    assert.equal(data.length, lengthOf(index));
    assert.ok(data.every((sample) => sample === index), `frame ${index}`);
    if (index++ === 100) again = first.kill().then(() => startChild(first.port));
  }
  assert.equal(index, 300);
  await (await again)![Symbol.asyncDispose]();
});

Deno.test("RemoteExecutor fails at once where a node keeps a state that cannot move", async () => {
  const child = await startChild();
  await using executor = new RemoteExecutor({ port: child.port });
  const reader = new Pipeline([
    new PassThrough<number>({}, { executor }),
    new Stuck({}, { executor }),
  ])
    .run(ReadableStream.from((async function* () {
      for (let index = 0; true; index++) {
        yield index;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })())).getReader();
  for (let count = 0; count < 20; count++) await reader.read();
  await child.kill();
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, (error) => {
    assert.ok(error instanceof RemoteError);
    assert.match(error.message, /^Cannot go on with the session as node "\w+" keeps a state/);
    assert.equal(error.retryable, false);
    return true;
  });
});

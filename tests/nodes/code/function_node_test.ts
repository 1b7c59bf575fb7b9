import assert from "node:assert/strict";
import { Pipeline, RemoteExecutor } from "@remotemedia/sdk";
import { filter, map } from "../../../nodes/code/mod.ts";
import { SandboxExecutor } from "../../../remote/sandbox/mod.ts";
import { serve } from "../../../remote/server/mod.ts";
import { ThreadExecutor } from "../../../remote/threads/mod.ts";
import { double, halve, isBig, isBigLater, twice } from "./_functions.ts";

const module = new URL("./_functions.ts", import.meta.url).href;

Deno.test("map gives what the function makes of each chunk", async () => {
  const pipeline = new Pipeline([map(double), map(halve), map(twice)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2])), [1, 1, 2, 2]);
  assert.deepEqual(pipeline.stats().map(({ name }) => name), ["map", "map-2", "map-3"]);
});

Deno.test("filter gives the chunks for which the function is true", async () => {
  const pipeline = new Pipeline([filter(isBig), filter(isBigLater)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2, 3, 4])), [3, 4]);
});

Deno.test("map and filter run in a sandbox, in a thread and on a server as they run here", async () => {
  await using server = await serve({ port: 0 });
  await using remote = new RemoteExecutor({ port: server.port });
  await using sandbox = new SandboxExecutor();
  await using threads = new ThreadExecutor({ threads: 1 });
  for (const executor of [remote, sandbox, threads]) {
    const place = { module, executor };
    const pipeline = new Pipeline([
      map(double, place),
      filter(isBig, place),
      map(twice, place),
      filter(isBigLater, place),
      map(halve, place),
    ]);
    assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2, 3])), [2, 2, 3, 3], executor.name);
  }
});

Deno.test("map refuses at once what cannot travel", () => {
  using executor = { name: "x", open: () => assert.fail(), [Symbol.dispose]() {} };
  assert.throws(() => map(double, { executor }), /must be exported, and its module be named/);
  assert.throws(() => map((value: number) => value, { executor, module }), TypeError);
  assert.throws(() => map(5 as never), TypeError);
});

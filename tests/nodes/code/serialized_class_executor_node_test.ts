import assert from "node:assert/strict";
import { type NodeError, Pipeline } from "@remotemedia/sdk";
import { type SerializedCall, SerializedClassExecutorNode } from "../../../nodes/code/mod.ts";
import { createBundle } from "../../../packaging/mod.ts";
import { children } from "../../remote/sandbox/_leaks.ts";

const { bytes: bundle } = await createBundle(new URL("./_counters.ts", import.meta.url));

const run = (calls: SerializedCall[]) =>
  Array.fromAsync(new Pipeline([new SerializedClassExecutorNode()]).run(calls));

Deno.test("SerializedClassExecutorNode calls methods, and gives result and new state", async () => {
  const call = { bundle, export: "Counter", state: { value: 10 }, method: "add", args: [5] };
  assert.deepEqual(await run([call, { ...call, state: { value: 1 } }]), [
    { result: 15, state: { value: 15 } },
    { result: 6, state: { value: 6 } },
  ]);
});

Deno.test("SerializedClassExecutorNode restores classes with private fields", async () => {
  const call = { bundle, export: "Private", state: 41, method: "increment" };
  assert.deepEqual(await run([call]), [{ result: 42, state: 42 }]);
});

Deno.test("SerializedClassExecutorNode throws what the method threw", async () => {
  const call = { bundle, export: "Counter", state: { value: 3 }, method: "fail" };
  await assert.rejects(run([call]), (error: NodeError) => {
    assert.ok(error.cause instanceof RangeError);
    return error.cause.message === "at 3";
  });
});

Deno.test("SerializedClassExecutorNode refuses what is no call, class, method or bundle", async () => {
  const call = { bundle, export: "Counter", state: {}, method: "add" };
  const wrong: [SerializedCall, RegExp][] = [
    [{ ...call, export: "None" }, /exports Counter, Private/],
    [{ ...call, method: "none" }, /is no method/],
    [{ ...call, method: "" }, /method must be a name/],
    [{ ...call, bundle: new Uint8Array(100) }, /Cannot/],
    [{ ...call, bundle: bundle.map((byte, at) => at === 2000 ? byte ^ 1 : byte) }, /Cannot/],
    [5 as never, /must be a Uint8Array/],
  ];
  for (const [bad, message] of wrong) await assert.rejects(run([bad]), message);
});

Deno.test("SerializedClassExecutorNode gives up no sandbox in which a call is under way", async () => {
  const folder = await Deno.makeTempDir();
  const bundles = await Promise.all(["a", "b", "c"].map(async (name) => {
    const path = `${folder}/${name}.js`;
    await Deno.writeTextFile(
      path,
      `export class Slow {
        async name() { await new Promise((resolve) => setTimeout(resolve, 50)); return "${name}"; }
      }`,
    );
    return (await createBundle(`file://${path}`, { check: false })).bytes;
  }));
  await Deno.remove(folder, { recursive: true });
  const before = children().length;
  const order = [0, 1, 2, 0, 1, 1, 2, 0];
  const calls = order.map((index) => ({
    bundle: bundles[index]!,
    export: "Slow",
    state: {},
    method: "name",
  }));
  const node = new SerializedClassExecutorNode({ bundles: 1 }, { concurrency: 4 });
  const results = await Array.fromAsync(new Pipeline([node]).run(calls));
  assert.deepEqual(results.map(({ result }) => result), order.map((index) => "abc"[index]));
  assert.equal(children().length, before);
});

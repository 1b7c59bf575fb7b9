import assert from "node:assert/strict";
import { Pipeline, RemoteError } from "../../core/mod.ts";
import { Slow, Spin } from "./sandbox/_user_nodes.ts";
import { startPair } from "./_server.ts";

const token = "a-token-of-some-length";
const tokens = [{ name: "brief", token, policy: { cpuSecondsPerMinute: 1.5 } }];

Deno.test("serve counts the CPU time of a token's own code, and not the time that it waits", async () => {
  await using pair = await startPair({ server: { tokens }, client: { token, retry: false } });
  // waits for longer than it may compute
  const waits = new Pipeline([new Slow({ ms: 2_000 }, pair)]);
  assert.deepEqual(await Array.fromAsync(waits.run([7])), [7]);
  // never comes back, so that its methods took no time yet
  const spins = new Pipeline([new Spin({}, pair)]);
  const error = await Array.fromAsync(spins.run([1])).then(() => undefined, (error) => error);
  assert.ok(error instanceof RemoteError, String(error));
  assert.equal(error.code, 8);
  assert.match(error.message, /"brief" may use 1\.5 s of CPU a minute/);
  const next = await Array.fromAsync(new Pipeline([new Slow({ ms: 1 }, pair)]).run([1]))
    .then(() => undefined, (error) => error);
  assert.match(String(next), /"brief" may use 1\.5 s of CPU a minute/);
});

Deno.test("serve counts the CPU time of a token's modules", async () => {
  await using pair = await startPair({ server: { tokens }, client: { token, retry: false } });
  const demo = await pair.executor.import<typeof import("./objects/_demo/busy.ts")>(
    new URL("./objects/_demo/busy.ts", import.meta.url),
  );
  await assert.rejects(() => demo.computeFor(60_000), /"brief" may use 1\.5 s of CPU a minute/);
});

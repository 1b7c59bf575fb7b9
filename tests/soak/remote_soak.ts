import assert from "node:assert/strict";
import { killStorm } from "../remote/_kill_storm.ts";

Deno.test("RemoteExecutor loses, doubles and reorders nothing over 100 kills in one stream", async () => {
  const { kills, longestStallMs } = await killStorm({ frames: 2_000, kills: 100, paceMs: 10 });
  console.log(`2000 frames, ${kills} kills, longest stall ${longestStallMs} ms`);
  assert.equal(kills, 100);
});

import assert from "node:assert/strict";
import { killStorm } from "../remote/_kill_storm.ts";

Deno.test("RemoteExecutor loses, doubles and reorders nothing over 100 kills", async () => {
  let kills = 0;
  let longest = 0;
  while (kills < 100) {
    const report = await killStorm({ frames: 2_000, kills: 100 - kills, paceMs: 10 });
    kills += report.kills;
    longest = Math.max(longest, report.longestStallMs);
    console.log(`${kills} kills, longest stall ${longest} ms`);
  }
  assert.ok(kills >= 100);
});

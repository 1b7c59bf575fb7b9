import assert from "node:assert/strict";
import { describeLoad, runLoad, startServer } from "./_load.ts";

Deno.test("serve loses nothing of a hundred live sessions, and adds little latency", async () => {
  await using server = await startServer(["--max-sessions", "200"]);
  const report = await runLoad({ port: server.port, sessions: 100, seconds: 6 });
  console.log(describeLoad(report));
  assert.equal(report.sent, 100 * 300);
  assert.equal(report.lost, 0);
  assert.equal(report.wrong, 0);
  assert.ok(report.p99Ms < 500, `p99 ${report.p99Ms} ms`); // 100 ms are meant: bench/load_bench.ts
});

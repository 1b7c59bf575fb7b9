import assert from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { goTool } from "./_go_tool.ts";
import { testNodes } from "./_nodes.ts";

const MODULE = "github.com/bojand/ghz/cmd/ghz@v0.120.0";
const [CALLS, AT_ONCE] = [1_000, 20];

/** What is read of ghz' report. */
interface Report {
  count: number;
  rps: number;
  statusCodeDistribution: Record<string, number>;
  errorDistribution: Record<string, number>;
  latencyDistribution: { percentage: number; latency: number }[];
}

Deno.test("ghz loads Execute, and every call is answered well", async () => {
  const tool = await goTool("ghz", MODULE);
  if ("skipped" in tool) {
    console.log(`skipped: ${tool.skipped}`);
    return;
  }
  await using server = await serve({ port: 0, nodes: testNodes, userCode: false });
  // the MessagePack values 1, 2, 3
  const request = {
    protocolVersion: 1,
    segment: [{ name: "pass", type: "PassThrough" }],
    chunks: [{ values: { count: 3, packed: "AQID" } }],
  };
  const { success, stdout, stderr } = await new Deno.Command(tool.path, {
    args: [
      ...["--insecure", "--call", "remotemedia.v1.ExecutionService/Execute", "--format", "json"],
      ...["--total", String(CALLS), "--concurrency", String(AT_ONCE), "--connections", "4"],
      ...["--data", JSON.stringify(request), server.address],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
  assert.deepEqual(report.statusCodeDistribution, { OK: CALLS });
  assert.deepEqual(report.errorDistribution, {});
  assert.equal(report.count, CALLS);
  assert.equal(server.sessions, 0, "every place was given back");
  const p99 = report.latencyDistribution.find(({ percentage }) => percentage === 99)!.latency / 1e6;
  console.log(`Execute by ghz: ${Math.round(report.rps)} calls/s, p99 ${p99.toFixed(1)} ms`);
});

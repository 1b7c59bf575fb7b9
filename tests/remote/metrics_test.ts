import assert from "node:assert/strict";
import { Metrics } from "../../remote/server/metrics.ts";
import { LatencyHistogram, type NodeStats, Pipeline } from "../../core/mod.ts";
import { Computes } from "./_worker_nodes.ts";
import { FailOn, testNodes, Waits } from "./_nodes.ts";
import { Spin } from "./sandbox/_user_nodes.ts";
import { startPair, until } from "./_server.ts";

/** What Prometheus would read: value by name and labels. */
function readMetrics(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

Deno.test("Metrics tells how long each chunk took, not the mean of them", async () => {
  const metrics = new Metrics({ sessions: () => 0, queuedBytes: () => 0 });
  const histogram = new LatencyHistogram();
  const stats = (count: number, busyMs: number): NodeStats => ({
    name: "mixed",
    type: "Mixed",
    in: count,
    out: count,
    dropped: 0,
    errors: 0,
    busyMs,
    latency: histogram.summary(),
    queueDepth: 0,
  });
  histogram.record(0.01, 90); // 90 chunks of 10 µs
  for (let index = 0; index < 8; index++) histogram.record(10);
  const first = [stats(98, 81)];
  metrics.nodes([], first);
  for (let index = 0; index < 2; index++) histogram.record(500);
  metrics.nodes(first, [stats(100, 1_081)]);
  const told = readMetrics(await metrics.text());
  const upTo = (le: number | string) =>
    told.get(`remotemedia_node_latency_seconds_bucket{le="${le}",type="Mixed"}`);
  assert.equal(upTo(0.000004), 0);
  assert.equal(upTo(0.000016), 90);
  assert.equal(upTo(0.004096), 90);
  assert.equal(upTo(0.016384), 98);
  assert.equal(upTo(0.262144), 98);
  assert.equal(upTo(1.048576), 100);
  assert.equal(upTo("+Inf"), 100);
  assert.equal(told.get('remotemedia_node_latency_seconds_count{type="Mixed"}'), 100);
  const sum = told.get('remotemedia_node_latency_seconds_sum{type="Mixed"}')!;
  assert.ok(Math.abs(sum - 1.081) < 1e-9);
});

Deno.test("serve counts sessions, chunks, bytes, errors, latencies, queues, kills and memory", async () => {
  const userCode = { limits: { cpuMs: 300 } };
  const nodes = [...testNodes, Computes];
  await using pair = await startPair({
    server: { httpPort: 0, nodes, userCode },
    client: { retry: false },
  });
  const read = async () => {
    const response = await fetch(`http://127.0.0.1:${pair.server.httpPort}/metrics`);
    return readMetrics(await response.text());
  };
  await Array.fromAsync(new Pipeline([new Computes({}, pair)]).run([1, 1, 40]));
  const failing = new Pipeline([new FailOn({ number: 2 }, pair)]);
  await assert.rejects(() => Array.fromAsync(failing.run([1, 2])));
  const killed = new Pipeline([new Spin({}, pair)]);
  await assert.rejects(() => Array.fromAsync(killed.run([1])), { name: "SandboxError" });
  const writer = new Pipeline([new Waits({}, pair)]).writable.getWriter();
  for (let index = 0; index < 20; index++) writer.write(index).catch(() => {}); // aborted below
  let told = await read();
  await until(() => pair.server.sessions === 1, "session");
  for (let tries = 0; tries < 500 && told.get("remotemedia_queue_bytes") === 0; tries++) {
    told = await read();
  }
  assert.ok(told.get("remotemedia_queue_bytes")! > 0);

  assert.equal(told.get("remotemedia_sessions"), 1);
  assert.equal(told.get('remotemedia_chunks_total{type="Computes",direction="in"}'), 3);
  assert.equal(told.get('remotemedia_chunks_total{type="Computes",direction="out"}'), 3);
  // the chunks of a session that failed count as well
  assert.equal(told.get('remotemedia_chunks_total{type="FailOn",direction="in"}'), 2);
  assert.ok(told.get('remotemedia_bytes_total{direction="in"}')! > 0);
  assert.ok(told.get('remotemedia_bytes_total{direction="out"}')! > 0);
  assert.equal(told.get('remotemedia_errors_total{code="UNKNOWN"}'), 1);
  assert.equal(told.get('remotemedia_errors_total{code="RESOURCE_EXHAUSTED"}'), 1);
  assert.equal(told.get('remotemedia_sandbox_kills_total{reason="cpu"}'), 1);
  assert.ok(told.get("remotemedia_rss_bytes")! > 10_000_000);
  const latency = (le: number | string) =>
    told.get(`remotemedia_node_latency_seconds_bucket{le="${le}",type="Computes"}`)!;
  assert.equal(latency("+Inf"), 3);
  assert.ok(latency(0.016384) <= 2, "the slow chunk is told apart");
  await writer.abort();
});

Deno.test("serve counts what fails of Execute as of sessions, and nothing that a client cancels", async () => {
  await using pair = await startPair({
    server: { httpPort: 0, maxSessions: 1, userCode: { limits: { cpuMs: 300 } } },
    client: { retry: false },
  });
  const { executor, server } = pair;
  const read = async () => {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}/metrics`);
    return readMetrics(await response.text());
  };
  const count = async (code: string) =>
    (await read()).get(`remotemedia_errors_total{code="${code}"}`) ?? 0;
  const gone = () => until(() => server.sessions === 0, "no session");
  await assert.rejects(() => executor.execute([new FailOn({ number: 1 })], [1]));
  assert.equal(await count("UNKNOWN"), 1);
  await gone();
  const waits = executor.execute([new Waits()], [1], { signal: AbortSignal.timeout(300) });
  waits.catch(() => {}); // told below
  await until(() => server.sessions === 1, "the call");
  await assert.rejects(() => executor.execute([new FailOn({ number: 1 })], [0]), { code: 8 });
  assert.equal(await count("RESOURCE_EXHAUSTED"), 1);
  await assert.rejects(waits, { name: "TimeoutError" });
  await gone();
  assert.equal(await count("INVALID_ARGUMENT"), 0);
  await assert.rejects(() => executor.execute([new Spin()], [1]), { name: "SandboxError" });
  assert.equal((await read()).get('remotemedia_sandbox_kills_total{reason="cpu"}'), 1);
});

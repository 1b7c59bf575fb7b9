import { equal, ok, throws } from "node:assert/strict";
import {
  assertRuntime,
  LatencyHistogram,
  Node,
  type NodeStats,
  Pipeline,
  requiredDeno,
} from "../../core/mod.ts";

Deno.test("LatencyHistogram tells quantiles within 42 % above, in bounded memory", () => {
  const histogram = new LatencyHistogram();
  equal(histogram.quantile(0.5), 0);
  for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
  for (const [share, exact] of [[0.5, 500], [0.95, 950], [0.99, 990]] as const) {
    const told = histogram.quantile(share);
    ok(told >= exact && told <= exact * Math.SQRT2 * 1.001, `p${share * 100} is ${told}`);
  }
  histogram.record(1e12);
  ok(Number.isFinite(histogram.quantile(1)));
});

Deno.test("assertRuntime refuses an older Deno in one sentence that says what to do", () => {
  assertRuntime(requiredDeno);
  assertRuntime("2.10.0");
  assertRuntime("3.0.0-rc.1");
  for (const old of ["2.9.5", "1.46.3", "none"]) {
    throws(() => assertRuntime(old), (error: Error) => {
      ok(error.message.includes(`needs Deno ${requiredDeno} or newer, this is ${old}`));
      return !error.message.includes("\n");
    });
  }
});

Deno.test("Pipeline.stats counts the time of a slow node's few chunks once", async () => {
  const slow = new Pipeline([new Busy()]);
  await Array.fromAsync(slow.run([20, 20, 20]));
  const [{ busyMs, latency }] = slow.stats() as [NodeStats];
  ok(busyMs >= 60 && busyMs < 600, `busy for ${busyMs} ms`);
  ok(latency.p50 >= 20, `p50 is ${latency.p50} ms`);
});

class Busy extends Node<number, number> {
  process(ms: number): number {
    const until = performance.now() + ms;
    while (performance.now() < until);
    return ms;
  }
}

import assert from "node:assert/strict";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { networkTest, runPaced, startCluster } from "./_cluster.ts";
import type { Network } from "./_network.ts";

networkTest(
  "RemoteExecutor fills a line of 100 ms round trip: a good part of its window comes each trip",
  async () => {
    const maxInFlight = 1_024;
    const conditions = { delayMs: 50 };
    await using cluster = await startCluster(1, { conditions, maxInFlight });
    const { executor } = cluster;
    await Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([0])); // connects
    const inputs = Array.from({ length: 12 * maxInFlight }, (_, index) => index);
    const start = performance.now();
    const pipeline = new Pipeline([new PassThrough<number>({}, { executor })]);
    let [firstMs, next] = [0, 0];
    for await (const output of pipeline.run(inputs)) {
      firstMs ||= performance.now() - start;
      assert.equal(output, next++);
    }
    assert.equal(next, inputs.length);
    const trips = (performance.now() - start - firstMs) / 100;
    const share = inputs.length / trips / maxInFlight;
    console.log(
      `first after ${firstMs.toFixed(0)} ms, then ${share.toFixed(2)} windows each round trip`,
    );
    assert.ok(share > 0.2, `${share} windows each round trip`); // 0.9 where nothing else runs
  },
);

networkTest(
  "RemoteExecutor loses, doubles and reorders nothing where 2 % of packets are lost",
  async () => {
    await using cluster = await startCluster(1, { conditions: { delayMs: 10, loss: 0.02 } });
    const longest = await runPaced(cluster.executor, { count: 1_000, paceMs: 2 });
    console.log(`longest stall ${longest.toFixed(0)} ms`);
  },
);

networkTest(
  "RemoteExecutor goes on after 5 s in which it reaches none of its servers",
  async () => {
    await using cluster = await startCluster(2, { keepaliveMs: 1_000, retry: { attempts: 50 } });
    const setAll = (cut: boolean) => {
      return Promise.all(cluster.networks.map((network) => network.set({ cut })));
    };
    let mended: Promise<unknown> | undefined;
    const longest = await runPaced(cluster.executor, {
      count: 400,
      paceMs: 5,
      at: {
        100: async () => {
          await setAll(true);
          mended = new Promise((resolve) => setTimeout(resolve, 5_000)).then(() => setAll(false));
        },
      },
    });
    await mended;
    console.log(`longest stall ${longest.toFixed(0)} ms`);
    assert.ok(longest > 4_000, "the network was not cut");
  },
);

networkTest(
  "RemoteExecutor finds out that its server is gone without a word, and goes on at another",
  async () => {
    const keepaliveMs = 500;
    await using cluster = await startCluster(2, { keepaliveMs });
    let wasServing: Network | undefined;
    const longest = await runPaced(cluster.executor, {
      count: 400,
      paceMs: 5,
      at: {
        100: async () => {
          wasServing = await cluster.serving();
          await wasServing.set({ cut: true });
        },
      },
    });
    const boundMs = keepaliveMs + 1_000; // and how long the answer to a ping may take
    console.log(`longest stall ${longest.toFixed(0)} ms, of which ${boundMs} ms to find out`);
    assert.ok(wasServing !== undefined);
    assert.ok(longest < 5 * boundMs, `stalled for ${longest} ms`);
  },
);

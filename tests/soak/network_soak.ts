import { networkTest, runPaced, startCluster } from "../remote/_cluster.ts";
import { randomOf } from "../remote/_mutate.ts";

networkTest(
  "Soak: RemoteExecutor loses, doubles and reorders nothing while its networks change",
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomOf(seed);
    await using cluster = await startCluster(2, { keepaliveMs: 500, retry: { attempts: 1_000 } });
    let running = true;
    let changes = 0;
    const storm = (async () => {
      while (running) {
        const network = cluster.networks[Math.floor(random() * 2)]!;
        await network.set({
          delayMs: random() < 0.5 ? 0 : 100 * random(),
          loss: random() < 0.5 ? 0 : 0.05 * random(),
          cut: random() < 0.3,
        });
        changes++;
        await new Promise((resolve) => setTimeout(resolve, 2_000 * random()));
      }
      for (const network of cluster.networks) await network.set({});
    })();
    const longest = await runPaced(cluster.executor, { count: 5_000, paceMs: 10 }).finally(() => {
      running = false;
      return storm;
    });
    console.log(`seed ${seed}: ${changes} changes, longest stall ${longest.toFixed(0)} ms`);
  },
);

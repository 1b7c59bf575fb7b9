import assert from "node:assert/strict";
import { AudioFrame, Pipeline } from "../../core/mod.ts";
import { AudioBuffer } from "../../nodes/audio/audio_buffer.ts";
import { AudioGain } from "../../nodes/audio/audio_gain.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor, type RemoteExecutorOptions } from "../../remote/mod.ts";
import { startServer } from "./_load.ts";
import { makeNetwork, type Network, whyNoNetworks } from "./_network.ts";
import type { Conditions } from "./_network_relay.ts";

/** Servers, each in a network of its own, and a client of all of them. */
interface Cluster extends AsyncDisposable {
  readonly networks: readonly Network[];
  readonly executor: RemoteExecutor;
  /** The network of the server that runs the session. */
  serving(): Promise<Network>;
}

async function startCluster(
  count: number,
  { conditions = {}, ...client }: RemoteExecutorOptions & { conditions?: Conditions } = {},
): Promise<Cluster> {
  const stack = new AsyncDisposableStack();
  const token = crypto.randomUUID();
  const tokens = await Deno.makeTempFile({ suffix: ".yaml" });
  stack.defer(() => Deno.remove(tokens));
  await Deno.writeTextFile(tokens, `[{ name: test, token: ${token} }]`);
  const networks: Network[] = [];
  const endpoints: { host: string; port: number }[] = [];
  for (let index = 0; index < count; index++) {
    const network = stack.use(await makeNetwork());
    const { namespace, address: host } = network;
    const server = stack.use(
      await startServer(["--host", host, "--tokens", tokens], { namespace }),
    );
    networks.push(network);
    endpoints.push({ host, port: server.port });
    await network.set(conditions);
  }
  const executor = stack.use(new RemoteExecutor({ endpoints, token, tls: false, ...client }));
  return {
    networks,
    executor,
    async serving() {
      const states = await executor.status();
      return networks[states.findIndex((state) => state.up && state.sessions > 0)]!;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Frames of 20 ms, each with its number in it. */
function frames(count: number): AudioFrame[] {
  return Array.from({ length: count }, (_, index) => {
    const data = new Float32Array(320).fill(index);
    return new AudioFrame({ data, sampleRate: 16_000, timestamp: index * 20_000 });
  });
}

/** A line that keeps a state: it cuts frames anew, and fades in over 200 of them. */
function line(executor?: RemoteExecutor): Pipeline<readonly [AudioBuffer, AudioGain]> {
  const config = executor === undefined ? {} : { executor };
  return new Pipeline([
    new AudioBuffer({ frameSize: 480 }, config),
    new AudioGain({ gainDb: 0, fromDb: -60, rampMs: 4_000 }, config),
  ]);
}

/**
 * Runs frames through the line there, a frame every some ms, and checks that what comes out is what comes
 * out here.
 *
 * @returns the longest time without an output, in ms
 */
async function runPaced(
  executor: RemoteExecutor,
  { count, paceMs, at = {} }: {
    count: number;
    paceMs: number;
    at?: Record<number, () => Promise<void>>;
  },
): Promise<number> {
  const inputs = frames(count);
  const expected = await Array.fromAsync(line().run(inputs));
  const outputs: AudioFrame[] = [];
  let [last, longest] = [Infinity, 0];
  const source = async function* () {
    for (const frame of inputs) {
      await new Promise((resolve) => setTimeout(resolve, paceMs));
      yield frame;
    }
  };
  for await (const output of line(executor).run(ReadableStream.from(source()))) {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    outputs.push(output);
    await at[outputs.length]?.();
  }
  assert.equal(outputs.length, expected.length);
  for (const [index, output] of outputs.entries()) assert.deepEqual(output, expected[index]);
  return longest;
}

/** A test that needs networks of its own; says why it is left out where there are none. */
function networkTest(name: string, run: () => Promise<void>): void {
  Deno.test(name, async () => {
    const reason = await whyNoNetworks();
    if (reason === undefined) await run();
    else console.log(`skipped: ${reason}`);
  });
}

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

networkTest("RemoteExecutor goes on after 5 s without a network", async () => {
  await using cluster = await startCluster(1, { keepaliveMs: 1_000, retry: { attempts: 50 } });
  const [network] = cluster.networks as [Network];
  let mended: Promise<void> | undefined;
  const longest = await runPaced(cluster.executor, {
    count: 400,
    paceMs: 5,
    at: {
      100: async () => {
        await network.set({ cut: true });
        mended = new Promise((resolve) => setTimeout(resolve, 5_000)).then(() => network.set({}));
      },
    },
  });
  await mended;
  console.log(`longest stall ${longest.toFixed(0)} ms`);
  assert.ok(longest > 4_000, "the network was not cut");
});

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

import assert from "node:assert/strict";
import { AudioFrame, Pipeline } from "../../core/mod.ts";
import { AudioBuffer } from "../../nodes/audio/audio_buffer.ts";
import { AudioGain } from "../../nodes/audio/audio_gain.ts";
import { RemoteExecutor, type RemoteExecutorOptions } from "../../remote/mod.ts";
import { startServer } from "./_load.ts";
import { makeNetwork, type Network, whyNoNetworks } from "./_network.ts";
import type { Conditions } from "./_network_relay.ts";

/** Servers, each in a network of its own, and a client of all of them. */
export interface Cluster extends AsyncDisposable {
  readonly networks: readonly Network[];
  readonly executor: RemoteExecutor;
  /** The network of the server that runs the session. */
  serving(): Promise<Network>;
}

/**
 * Starts servers in networks of their own, and a client.
 *
 * @param count of servers; @param options of the client, and how their lines are
 */
export async function startCluster(
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
export async function runPaced(
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
export function networkTest(name: string, run: () => Promise<void>): void {
  Deno.test(name, async () => {
    const reason = await whyNoNetworks();
    if (reason === undefined) await run();
    else console.log(`skipped: ${reason}`);
  });
}

/**
 * Every built-in node gives the same on a server as here: generated from the registry, so that a new node is
 * covered without being listed. Nodes with a contract pass all of it there; every node is fed chunks of every
 * kind, which it takes or refuses the same way.
 */
import { deepEqual, ok } from "node:assert/strict";
import {
  type AnyNode,
  AudioFrame,
  EncodedFrame,
  type Executor,
  Marker,
  type NodeConfig,
  NodeError,
  Pipeline,
  Tensor,
  VideoFrame,
} from "../../core/mod.ts";
import {
  AudioBuffer,
  AudioTransform,
  builtinNodes,
  CodeExecutorNode,
  PassThrough,
  VoiceActivityDetector,
} from "../../nodes/mod.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";
import { nodeContract, noise, sine, speech } from "../../testing/mod.ts";
import { nativeAudioContracts } from "../nodes/audio/_native_contracts.ts";
import { type AnyContract, contractOf } from "../nodes/data/_contract_of.ts";
import { dataContracts } from "../nodes/data/_contracts.ts";
import { textContracts } from "../nodes/text/_contracts.ts";
import { videoContracts } from "../nodes/video/_contracts.ts";

const audio = () => noise({ seconds: 0.4, sampleRate: 24_000, numberOfChannels: 2 });

const contracts: Record<string, AnyContract> = {
  CodeExecutorNode: contractOf({
    create: (config) => new CodeExecutorNode({ source: "result = [input, typeof input]" }, config),
    inputs: () => [1, "two", { three: 3 }],
  }),
  AudioBuffer: contractOf({
    create: (config) => new AudioBuffer({ frameSize: 333 }, config),
    inputs: audio,
  }),
  AudioTransform: contractOf({
    create: (config) => new AudioTransform({ sampleRate: 16_000, channels: 1 }, config),
    inputs: audio,
  }),
  PassThrough: contractOf({ create: (config) => new PassThrough({}, config), inputs: audio }),
  VoiceActivityDetector: contractOf({
    create: (config) => new VoiceActivityDetector({ emit: "annotate" }, config),
    inputs: async () => (await speech()).slice(50, 150),
  }),
  ...nativeAudioContracts,
  ...dataContracts,
  ...textContracts,
  ...videoContracts,
};

/** Chunks of every kind. */
async function chunkSets(): Promise<Record<string, unknown[]>> {
  const half = new Marker({ name: "half", data: { at: 1n } });
  const [a, b] = [
    sine({ seconds: 0.1, sampleRate: 44_100, numberOfChannels: 2 }),
    noise({ seconds: 0.2 }),
  ];
  return {
    speech: (await speech()).slice(50, 220),
    "audio that changes its format": [...a, half, ...b, ...a.slice(1)],
    "audio that is no number": [
      sine()[0]!,
      sine()[0]!.with({ data: new Float32Array([NaN, 1, Infinity]) }),
    ],
    "empty audio": [sine()[0]!.with({ data: new Float32Array(0) }), ...sine({ seconds: 0.04 })],
    "audio that jumps back": [...sine({ seconds: 0.1 }), ...sine({ seconds: 0.1 })],
    numbers: [1, 2, half, 2.5, -3, 1e300, NaN, 4],
    texts: ["hello world foo", half, "One. Two", " three.", "", "👩‍👩‍👧 é"],
    values: [
      { a: 1, b: [2, { c: "x" }] },
      null,
      true,
      half,
      new Date(5),
      new Map([[1, { d: 2n }]]),
      [1, [2]],
    ],
    bytes: [new Uint8Array([1, 2, 3]), half, new Uint8Array(0)],
    video: [
      new VideoFrame({
        data: new Uint8Array(24),
        format: "I420",
        codedWidth: 4,
        codedHeight: 4,
        timestamp: 5,
      }),
      half,
    ],
    "packets and tensors": [
      new EncodedFrame({ data: new Uint8Array([7]), codec: "opus", type: "delta", timestamp: 9 }),
      new Tensor({ data: new BigInt64Array([1n, 2n]), dims: [2, 1], timestamp: 3 }),
    ],
    nothing: [],
  };
}

/** Deno's deepEqual holds that no NaN in a typed array equals another. */
function comparable(output: unknown): unknown {
  if (Array.isArray(output)) return output.map(comparable);
  if (!(output instanceof AudioFrame)) return output;
  return {
    ...output,
    data: Array.from(output.data, (sample) => Number.isNaN(sample) ? "NaN" : sample),
  };
}

/** What comes out, and how it ends. */
async function outcome(node: AnyNode, chunks: unknown[]): Promise<unknown> {
  const outputs: unknown[] = [];
  try {
    const line = new Pipeline([node] as readonly AnyNode[] as never) as unknown as {
      run(source: unknown[]): ReadableStream<unknown>;
    };
    for await (const output of line.run(chunks)) outputs.push(comparable(output));
    return { outputs };
  } catch (error) {
    const { name, message } = error as Error;
    const where = error instanceof NodeError
      ? { node: error.node, phase: error.phase, chunkIndex: error.chunkIndex }
      : {};
    const cause = (error as Error).cause as Error | undefined;
    return {
      outputs,
      error: { name, message, ...where, cause: cause?.name, because: cause?.message },
    };
  }
}

async function withServer(run: (executor: Executor) => Promise<void>): Promise<void> {
  await using server = await serve({ port: 0, userCode: false });
  await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
  await run(executor);
}

const offered = builtinNodes.filter(({ access = [] }) => access.length === 0);

for (const nodeClass of offered) {
  const type = nodeClass.type ?? nodeClass.name;
  // a node that cannot be made without options has to have a contract
  const create = (config: NodeConfig): AnyNode =>
    (contracts[type]?.create(config) as AnyNode | undefined) ?? new nodeClass({} as never, config);

  Deno.test(`${type} gives the same on a server as here, whatever it is fed`, async () => {
    await withServer(async (executor) => {
      for (const [kind, chunks] of Object.entries(await chunkSets())) {
        const here = await outcome(create({}), chunks);
        const there = await outcome(create({ executor }), chunks);
        deepEqual(there, here, kind);
      }
    });
  });

  const contract = contracts[type];
  if (contract === undefined) continue;
  Deno.test(`${type} keeps the whole contract on a server`, async () => {
    await withServer(async (executor) => {
      const place = { executor, close: () => Promise.resolve() };
      const cases = nodeContract({ ...contract, executor: () => Promise.resolve(place) });
      for (const { name, run } of cases.filter(({ name }) => name.endsWith("(elsewhere)"))) {
        try {
          await run();
        } catch (cause) {
          throw new Error(`${type} ${name}`, { cause });
        }
      }
    });
  });
}

Deno.test("Nodes that reach for files, network or programs say so", () => {
  const kept = builtinNodes.filter(({ access = [] }) => access.length > 0).map(({ name }) => name);
  console.log(`not offered to clients unless a policy says so: ${kept.join(", ")}`);
  ok(kept.length > 0);
});

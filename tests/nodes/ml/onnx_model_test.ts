import assert from "node:assert/strict";
import {
  AudioFrame,
  type NodeConfig,
  NodeError,
  Pipeline,
  Tensor,
  type TensorData,
  VideoFrame,
} from "../../../core/mod.ts";
import { heldSessions } from "../../../nodes/ml/_onnx_session.ts";
import { loadSilero, Silero, sileroUrl } from "../../../nodes/ml/_silero.ts";
import { type NamedTensors, OnnxModel, type OnnxModelInput } from "../../../nodes/ml/onnx_model.ts";
import { joinSamples, nodeContract, sine, speech } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";

/** One of the files that `tests/testdata/onnx/make.py` writes. */
const file = (name: string) =>
  new URL(`../../testdata/onnx/${name}.onnx`, import.meta.url).pathname;

function tensor(data: TensorData, dims: number[] = [data.length]): Tensor {
  return new Tensor({ data, dims });
}

const f32 = (values: number[], dims?: number[]) => tensor(new Float32Array(values), dims);

function run(
  chunks: unknown[],
  options: OnnxModelInput,
  config: NodeConfig = {},
): Promise<(Tensor | NamedTensors)[]> {
  const pipeline = new Pipeline([new OnnxModel(options, config)]);
  return Array.fromAsync(pipeline.run(chunks) as ReadableStream<Tensor | NamedTensors>);
}

const values = (output: Tensor | NamedTensors) => [...(output as Tensor).data as Float32Array];

async function fault(chunk: unknown, options: OnnxModelInput): Promise<Error> {
  try {
    await run([chunk], options);
  } catch (error) {
    assert.ok(error instanceof NodeError);
    return error.cause as Error;
  }
  throw new Error("it did not fail");
}

const contracts = {
  "OnnxModel": nodeContract({
    create: (config) => new OnnxModel({ model: file("affine") }, config),
    inputs: () => [1, 2, 3].map((at) => f32([at, at / 2], [1, 2])),
    refused: [
      [() => new OnnxModel({} as never), /"model".*path/],
      [() => new OnnxModel({ model: 5 as never }), /"model".*path/],
      [() => new OnnxModel({ model: "m", maxBatch: 0 }), /"maxBatch"/],
      [() => new OnnxModel({ model: "m", executionProviders: [] }), /"executionProviders"/],
    ],
    executor: elsewhere([OnnxModel]),
  }),
  "OnnxModel with batches": nodeContract({
    create: (config) => new OnnxModel({ model: file("affine"), maxBatch: 4, maxWaitMs: 1 }, config),
    inputs: () => [1, 2, 3].map((at) => f32([at, at / 2], [1, 2])),
    executor: elsewhere([OnnxModel]),
  }),
};
for (const [node, cases] of Object.entries(contracts)) {
  for (const { name, run } of cases) Deno.test(`${node} ${name}`, run);
}

Deno.test("OnnxModel takes a path, a file URL or bytes, and sizes that change", async () => {
  const path = file("affine");
  for (const model of [path, `file://${path}`, await Deno.readFile(path)]) {
    const given = await run([f32([1, 2, 3], [1, 3]), f32([4, 5], [2, 1])], { model });
    assert.deepEqual(given, [f32([3, 5, 7], [1, 3]), f32([9, 11], [2, 1])]);
  }
});

Deno.test("OnnxModel takes inputs and gives outputs by name", async () => {
  const [a, b] = [f32([1, 2, 3], [1, 3]), f32([10, 20, 30], [1, 3])];
  const [both] = await run([{ b, a }], { model: file("pair") });
  assert.deepEqual(both, {
    sum: f32([11, 22, 33], [1, 3]),
    difference: f32([-9, -18, -27], [1, 3]),
  });
  const [one] = await run([{ a, b }], { model: file("pair"), outputs: ["difference"] });
  assert.deepEqual(one, f32([-9, -18, -27], [1, 3]));
});

Deno.test("OnnxModel takes frames, and keeps their time and metadata", async () => {
  const frame = new AudioFrame({
    data: new Float32Array([0.5, 1, -1, 0]),
    numberOfChannels: 2,
    sampleRate: 8000,
    timestamp: 1_250,
    metadata: { track: "a" },
  });
  const [tensor] = await run([frame], { model: file("affine") }) as Tensor[];
  assert.deepEqual([tensor!.dims, values(tensor!)], [[2, 2], [2, 3, -1, 1]]);
  assert.deepEqual([tensor!.timestamp, tensor!.metadata], [1_250, { track: "a" }]);
  const picture = new VideoFrame({
    data: new Uint8Array(16),
    format: "RGBA",
    codedWidth: 2,
    codedHeight: 2,
  });
  const message = (await fault(picture, { model: file("affine") })).message;
  assert.match(message, /input "x" must be float32: current value is "?uint8/);
});

Deno.test("OnnxModel stands float32 and uint8 in for float16 and bool", async () => {
  const x = f32([1, 2.5, -3]);
  const mask = tensor(new Uint8Array([1, 0, 7]));
  const [given] = await run([{ x, mask }], { model: file("types") }) as NamedTensors[];
  assert.deepEqual(given!["y"], f32([1, 0, -3]));
  assert.deepEqual(given!["is_some"], tensor(new Uint8Array([1, 0, 1])));
});

Deno.test("OnnxModel runs Silero as the detector does", async () => {
  const model = await sileroUrl();
  const samples = joinSamples(await speech()).slice(32_000, 33_024);
  const silero = new Silero(await loadSilero());
  silero.window.set(samples.subarray(0, 512));
  const expected = await silero.run();
  const input = new Float32Array(576);
  input.set(samples.subarray(0, 512), 64);
  const [given] = await run([{
    input: tensor(input, [1, 576]),
    state: tensor(new Float32Array(256), [2, 1, 128]),
    sr: tensor(new BigInt64Array([16_000n]), []),
  }], { model }) as NamedTensors[];
  assert.deepEqual(given!["stateN"]!.dims, [2, 1, 128]);
  assert.equal(values(given!["output"]!)[0], expected);
});

Deno.test("OnnxModel says what does not fit", async () => {
  const pair = { model: file("pair") };
  const row = f32([1, 2, 3], [1, 3]);
  const cases: [unknown, OnnxModelInput, new (...of: never[]) => Error, RegExp][] = [
    ["hi", pair, TypeError, /OnnxModel takes a tensor, .*: it was given text/],
    [row, pair, TypeError, /takes an object with the inputs a, b/],
    [{ a: row }, pair, TypeError, /must have the inputs a, b: current value is "?a"?/],
    [{ a: row, b: row, c: row }, pair, TypeError, /must have the inputs a, b/],
    [{ a: row, b: 5 }, pair, TypeError, /takes a tensor.*given a number/],
    [
      { a: row, b: f32([1, 2], [1, 2]) },
      pair,
      RangeError,
      /"b" must have the shape \[n, 3\].*\[1, 2\]/,
    ],
    [{ a: row, b: f32([1, 2, 3]) }, pair, TypeError, /"b" must have the shape \[n, 3\]/],
    [{ a: row, b: tensor(new Int8Array(3), [1, 3]) }, pair, TypeError, /"b" must be float32.*int8/],
    [row, { ...pair, outputs: ["product"] }, TypeError, /has the outputs sum, difference.*product/],
    [row, { ...pair, input: "z" }, TypeError, /has the inputs a, b.*z/],
    [row, { model: "/nowhere.onnx" }, Error, /Cannot load ONNX model \/nowhere\.onnx as/],
    [row, { model: new Uint8Array([1, 2]) }, Error, /Cannot load ONNX model of 2 bytes as/],
    [f32([1, 2], [1, 2]), { model: file("single"), maxBatch: 2 }, RangeError, /"x" must be free/],
    [
      tensor(new BigInt64Array([9n])),
      { model: file("lookup") },
      Error,
      /indices element out of data bounds/,
    ],
    [row, { model: file("affine"), warmUp: { x: [1, 2, 3, 4] } }, Error, /Invalid rank|rank/i],
  ];
  for (const [chunk, options, Fault, message] of cases) {
    const error = await fault(chunk, options);
    assert.ok(error instanceof Fault, `${error}`);
    assert.match(error.message, message);
  }
});

Deno.test("OnnxModel passes NaN, infinite and empty tensors to the model as they are", async () => {
  const odd = [f32([NaN, Infinity], [1, 2]), f32([-Infinity], [1, 1]), f32([], [0, 2])];
  const given = await run(odd, { model: file("affine") });
  assert.deepEqual(given.map(values), [[NaN, Infinity], [-Infinity], []]);
  const [first] = sine();
  const frame = first!.with({ data: new Float32Array([NaN, 1]) });
  assert.deepEqual(values((await run([frame], { model: file("affine") }))[0]!), [NaN, 3]);
});

Deno.test("OnnxModel gives streams their own rows back, in order, whatever the batch", async () => {
  const options = { model: file("affine"), maxBatch: 6, maxWaitMs: 1 };
  const rows = (stream: number) =>
    Array.from({ length: 30 }, (_, at) => {
      const count = 1 + (stream + at) % 3;
      const width = 2 + stream % 2; // two kinds of rows, which do not fit together
      return f32(Array.from({ length: count * width }, (_, i) => stream * 1000 + at * 10 + i), [
        count,
        width,
      ]);
    });
  const streams = Array.from({ length: 8 }, (_, stream) => rows(stream));
  const given = await Promise.all(
    streams.map((chunks, at) => run(chunks, options, at === 3 ? { concurrency: 4 } : {})),
  );
  for (const [at, outputs] of given.entries()) {
    const expected = streams[at]!.map(({ data, dims }) =>
      f32([...data as Float32Array].map((value) => 2 * value + 1), [...dims])
    );
    assert.deepEqual(outputs, expected);
  }
});

Deno.test("OnnxModel in a batch fails only the stream at fault", async () => {
  const options = { model: file("lookup"), maxBatch: 8, maxWaitMs: 20 };
  const index = (value: bigint) => tensor(new BigInt64Array([value]));
  const results = await Promise.allSettled(
    [0n, 1n, 77n, 3n].map((value) => run([index(value), index(2n)], options)),
  );
  assert.deepEqual(results.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  const given = results.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
  assert.deepEqual(given.map((outputs) => outputs.map((each) => values(each)[0])), [
    [10, 12],
    [11, 12],
    [13, 12],
  ]);
});

Deno.test("OnnxModel with batches refuses a model that mixes rows, and shares what it is told to", async () => {
  const options = { model: file("total"), maxBatch: 4, maxWaitMs: 200 };
  const row = f32([1, 2], [1, 2]);
  // together the rows cannot be told apart, so each is run on its own
  const totals = await Promise.all([run([row], options), run([row], options)]);
  assert.deepEqual(totals.map(([total]) => values(total!)), [[1, 2], [1, 2]]);

  const shifted = { model: file("shifted"), maxBatch: 4, maxWaitMs: 20, sharedInputs: ["by"] };
  const sums = await Promise.all(
    [1, 1, 5].map((by) => run([{ x: row, by: f32([by], []) }], shifted)),
  );
  assert.deepEqual(sums.map(([sum]) => values(sum!)), [[2, 3], [2, 3], [6, 7]]);
});

Deno.test("OnnxModel that is cancelled leaves the batch, and the last one frees the session", async () => {
  const before = heldSessions();
  const options = { model: file("affine"), maxBatch: 2, maxWaitMs: 60_000, threads: 2 };
  const controller = new AbortController();
  const pipeline = new Pipeline([new OnnxModel(options)]);
  const waits = Array.fromAsync(
    pipeline.run([f32([1], [1, 1])], { signal: controller.signal }) as ReadableStream<unknown>,
  );
  while (heldSessions() === before) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error("enough"));
  await assert.rejects(waits, /enough/);
  while (heldSessions() !== before) await new Promise((resolve) => setTimeout(resolve, 5));
});

/**
 * The real transformers.js on models that `tests/testdata/models/make.py` writes: their weights are set by hand, so
 * what must come out is known. No trained model is needed, and none is fetched.
 */
import assert from "node:assert/strict";
import { AudioFrame, NodeError, Pipeline, Tensor } from "../../../core/mod.ts";
import { heldPipelines } from "../../../nodes/ml/_transformers.ts";
import {
  TransformersPipeline,
  type TransformersPipelineInput,
} from "../../../nodes/ml/transformers_pipeline.ts";
import { nodeContract, sine } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";

const modelFolder = new URL("../../testdata/models", import.meta.url).pathname;
const reviews = { task: "text-classification", model: "tiny/reviews", modelFolder, offline: true };

async function run(chunks: unknown[], options: TransformersPipelineInput): Promise<unknown[]> {
  return await Array.fromAsync(new Pipeline([new TransformersPipeline(options)]).run(chunks));
}

async function fault(chunk: unknown, options: TransformersPipelineInput): Promise<string> {
  try {
    await run([chunk], options);
  } catch (error) {
    assert.ok(error instanceof NodeError);
    return (error.cause as Error).message;
  }
  throw new Error("it did not fail");
}

for (
  const { name, run } of nodeContract({
    create: (config) => new TransformersPipeline(reviews, config),
    inputs: () => ["good", "bad", "the film is fine"],
    executor: elsewhere([TransformersPipeline]),
    refused: [
      [() => new TransformersPipeline({} as never), /"task"/],
      [() => new TransformersPipeline({ ...reviews, model: "" }), /"model"/],
      [() => new TransformersPipeline({ ...reviews, model: "../secrets" }), /"model".*folder/],
      [() => new TransformersPipeline({ ...reviews, dtype: "q99" }), /"dtype"/],
      [() => new TransformersPipeline({ ...reviews, weight: 1 } as never), /no option "weight"/],
    ],
  })
) Deno.test(`TransformersPipeline ${name}`, run);

Deno.test("TransformersPipeline loads the model that is named, and gives what it says", async () => {
  const labels = async (options: TransformersPipelineInput) =>
    (await run(["The film is good", "awful"], options)).map((output) =>
      (output as { label: string }[])[0]!.label
    );
  assert.deepEqual(await labels(reviews), ["POSITIVE", "NEGATIVE"]);
  assert.deepEqual(await labels({ ...reviews, model: "tiny/mirror" }), ["BLAME", "PRAISE"]);
  const both = await Promise.all([labels(reviews), labels({ ...reviews, model: "tiny/mirror" })]);
  assert.deepEqual(both, [["POSITIVE", "NEGATIVE"], ["BLAME", "PRAISE"]]);
  const [all] = await run(["good"], { ...reviews, parameters: { top_k: 2 } }) as unknown[][];
  assert.equal(all!.length, 2);
});

Deno.test("TransformersPipeline gives tensors and audio as frames", async () => {
  const [vectors] = await run(["good bad"], { ...reviews, task: "feature-extraction" });
  const data = new Float32Array([0, 0, 4, 0, 0, 4, 0, 0]); // [CLS] good bad [SEP]
  assert.deepEqual(vectors, new Tensor({ data, dims: [1, 4, 2] }));
  const [voice] = await run(["ab."], { ...reviews, task: "text-to-speech", model: "tiny/voice" });
  assert.ok(voice instanceof AudioFrame);
  assert.deepEqual([voice.sampleRate, voice.numberOfFrames], [16_000, 3000]);
});

Deno.test("TransformersPipeline never takes another model, place, task or type of weights", async () => {
  const cases: [Partial<TransformersPipelineInput>, RegExp][] = [
    [{ model: "tiny/gone" }, /Cannot load model tiny\/gone for text-classification as .*/],
    [{ dtype: "q4" }, /Cannot load model tiny\/reviews.*model_q4\.onnx/],
    [{ task: "automatic-speech-recognition" }, /Cannot load model tiny\/reviews/],
    [{ device: "nowhere" }, /Cannot load model tiny\/reviews.*nowhere/],
    [
      { task: "mind-reading" },
      /Cannot load model tiny\/reviews for mind-reading.*Unsupported pipeline/,
    ],
    [{ modelFolder: undefined }, /needs modelFolder or cacheFolder/],
  ];
  for (const [options, message] of cases) {
    assert.match(await fault("good", { ...reviews, ...options }), message);
  }
  assert.match(await fault(5, reviews), /takes a text, a frame, or an array.*a number/);
  assert.ok(!/fetch/.test(await fault("good", { ...reviews, model: "tiny/gone" })));
  assert.match(await fault(sine()[0]!, reviews), /takes no audio: it was given an audio frame/);
});

Deno.test("TransformersPipeline shares a model, and frees it with its last user", async () => {
  const before = heldPipelines();
  const sources = [1, 2].map(() => new TransformStream<string>());
  const outputs = sources.map(({ readable }) => {
    const reader = new Pipeline([new TransformersPipeline(reviews)]).run(
      readable as ReadableStream<unknown>,
    )
      .getReader();
    return reader;
  });
  const writers = sources.map(({ writable }) => writable.getWriter());
  for (const [index, writer] of writers.entries()) {
    void writer.write("good");
    await outputs[index]!.read();
  }
  assert.equal(heldPipelines(), before + 1);
  await outputs[0]!.cancel();
  await writers[1]!.close();
  await outputs[1]!.read();
  while (heldPipelines() !== before) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("TransformersPipeline costs nothing who does not use it", async () => {
  const script = `await import(${JSON.stringify(new URL("../../../mod.ts", import.meta.url).href)});
    await import(${JSON.stringify(new URL("../../../nodes/mod.ts", import.meta.url).href)});
    const { readdirSync } = await import("node:fs");
    const maps = Deno.readTextFileSync("/proc/self/maps");
    console.log(/onnxruntime|sharp/.test(maps), typeof readdirSync);`;
  if (Deno.build.os !== "linux") return console.log("needs /proc: skipped");
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "false function");
});

/** The real transformers.js on `tiny/voice`, whose weights are set by hand: each sign is a tone of 62.5 ms. */
import assert from "node:assert/strict";
import { type AudioFrame, NodeError, Pipeline } from "../../../core/mod.ts";
import { TextToSpeech, type TextToSpeechInput } from "../../../nodes/mod.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";

const modelFolder = new URL("../../testdata/models", import.meta.url).pathname;
const voice = { model: "tiny/voice", modelFolder, offline: true };

for (
  const { name, run } of nodeContract({
    create: (config) => new TextToSpeech(voice, config),
    inputs: () => ["Hello the", "re. It is", " me. Bye"],
    executor: elsewhere([TextToSpeech]),
    refused: [
      [() => new TextToSpeech({} as never), /"model"/],
      [() => new TextToSpeech({ ...voice, frameMs: 0 }), /"frameMs"/],
    ],
  })
) Deno.test(`TextToSpeech ${name}`, run);

async function speak(
  texts: string[],
  options: Partial<TextToSpeechInput> = {},
): Promise<AudioFrame[]> {
  return await Array.fromAsync(
    new Pipeline([new TextToSpeech({ ...voice, ...options })]).run(texts),
  );
}

Deno.test("TextToSpeech speaks sentence by sentence, frames one behind the other", async () => {
  const frames = await speak(["It is on", "e. T", "wo!"], { frameMs: 30 });
  const said = [...new Set(frames.map(({ metadata }) => `${metadata.sentence} ${metadata.text}`))];
  assert.deepEqual(said, ["0 It is one.", "1 Two!"]);
  let time = 0;
  for (const { timestamp, numberOfFrames, sampleRate, numberOfChannels } of frames) {
    assert.deepEqual([sampleRate, numberOfChannels], [16_000, 1]);
    assert.ok(numberOfFrames <= 480);
    assert.ok(Math.abs(timestamp - time) <= 1, `${timestamp} is not ${time}`);
    time = timestamp + numberOfFrames * 1e6 / sampleRate;
  }
  assert.equal(Math.round(time), ("It is one.".length + "Two!".length) * 62_500);
});

Deno.test("TextToSpeech gives the first sentence before the second is written", async () => {
  const chunks = new TransformStream<string>();
  const writer = chunks.writable.getWriter();
  const reader = new Pipeline([new TextToSpeech(voice)]).run(chunks.readable).getReader();
  void writer.write("One. T");
  assert.equal((await reader.read()).value!.metadata.text, "One.");
  await reader.cancel();
});

Deno.test("TextToSpeech stops at an interrupt, and goes on with what comes after", async () => {
  const node = new TextToSpeech(voice);
  const pipeline = new Pipeline([node]);
  const chunks = new TransformStream<string>();
  const writer = chunks.writable.getWriter();
  const frames: AudioFrame[] = [];
  const reader = pipeline.run(chunks.readable).getReader();
  void writer.write("This is a long sentence that nobody hears to its end. Nor this one. And");
  for (let count = 0; count < 3; count++) frames.push((await reader.read()).value!);
  await pipeline.interrupt();
  void writer.write("New.").then(() => writer.close());
  for (let step; !(step = await reader.read()).done;) frames.push(step.value);
  const said = [...new Set(frames.map(({ metadata }) => metadata.text))];
  assert.equal(said.length, 2, `${said}`);
  assert.equal(said[1], "New.");
  const time = frames.map(({ timestamp }) => timestamp);
  assert.deepEqual(time, time.toSorted((a, b) => a - b));
});

Deno.test("TextToSpeech speaks each chunk as it is where asked, and says what it cannot take", async () => {
  const frames = await speak(["One. Two", " ...", "three"], { split: "chunks" });
  assert.deepEqual([...new Set(frames.map(({ metadata }) => metadata.text))], [
    "One. Two",
    "three",
  ]);
  await assert.rejects(speak([5 as never]), (error: NodeError) => {
    assert.ok(error instanceof NodeError);
    return /TextToSpeech takes text: it was given a number/.test(`${error.cause}`);
  });
});

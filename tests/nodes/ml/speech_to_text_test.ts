/**
 * The real transformers.js on the model folders that `tests/testdata/models/make.py` writes, with weights set by hand:
 * `tiny/voice` (VITS' form) makes each letter a tone, `tiny/ear` (wav2vec2's form) hears tones as letters. So what was
 * said is known to the letter; how well a trained model hears speech is not tested here.
 */
import assert from "node:assert/strict";
import { AudioFrame, NodeError, Pipeline } from "../../../core/mod.ts";
import { StreamingResampler } from "../../../nodes/audio/_resampler.ts";
import {
  SpeechToText,
  type SpeechToTextInput,
  TextToSpeech,
  type Transcript,
} from "../../../nodes/mod.ts";
import { cut, joinSamples, nodeContract, silence } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";

const modelFolder = new URL("../../testdata/models", import.meta.url).pathname;
const from = { modelFolder, offline: true };
const ear = { model: "tiny/ear", ...from };

// no letter twice in a row: CTC hears that as one
const sentence = "the quick brown fox jumps over the lazy dog and the dog dreams of the fox";

async function sayAll(text: string, frameMs = 20): Promise<AudioFrame[]> {
  const voice = new TextToSpeech({ model: "tiny/voice", frameMs, split: "chunks", ...from });
  return await Array.fromAsync(ReadableStream.from([text]).pipeThrough(voice));
}
const spoken = await sayAll(sentence);

async function hear(
  frames: AudioFrame[],
  options: Partial<SpeechToTextInput> = {},
): Promise<Transcript[]> {
  const pipeline = new Pipeline([new SpeechToText({ ...ear, stepMs: 500, ...options })]);
  return await Array.fromAsync(pipeline.run(frames));
}

const textOf = (transcripts: readonly Transcript[]) =>
  transcripts.filter(({ final }) => final).map(({ text }) => text).join(" ");

for (
  const { name, run } of nodeContract({
    create: (config) => new SpeechToText({ ...ear, stepMs: 500 }, config),
    inputs: () => spoken.slice(0, 120),
    executor: elsewhere([SpeechToText]),
    refused: [
      [() => new SpeechToText({} as never), /"model"/],
      [() => new SpeechToText({ ...ear, stepMs: 5 }), /"stepMs"/],
      [
        () => new SpeechToText({ ...ear, windowMs: 1000, stepMs: 500, overlapMs: 600 }),
        /"windowMs"/,
      ],
    ],
  })
) Deno.test(`SpeechToText ${name}`, run);

Deno.test("SpeechToText hears what was said, each word once, whatever the windows", async () => {
  for (
    const [stepMs, windowMs, overlapMs] of [[500, 15_000, 1000], [500, 2000, 1000], [
      700,
      3000,
      900,
    ], [1500, 4000, 800]]
  ) {
    const transcripts = await hear(spoken, { stepMs, windowMs, overlapMs });
    assert.equal(textOf(transcripts), sentence, `${stepMs} ${windowMs} ${overlapMs}`);
    assert.ok(transcripts.length > 2);
    let last = 0;
    for (const { start, end, final } of transcripts) {
      assert.ok(final && start <= end && end >= last);
      last = end;
    }
  }
});

Deno.test("SpeechToText gives words soon, and those that are not final where asked", async () => {
  const node = new SpeechToText({ ...ear, stepMs: 500, partials: true });
  const pipeline = new Pipeline([node]);
  const chunks = new TransformStream<AudioFrame>();
  const writer = chunks.writable.getWriter();
  const reader = pipeline.run(chunks.readable).getReader();
  const write = (async () => {
    for (const frame of spoken.slice(0, 125)) await writer.write(frame); // 2.5 s, and no end
  })();
  const given: Transcript[] = [];
  while (textOf(given) === "") given.push((await reader.read()).value!);
  assert.ok(given.some(({ final }) => !final));
  assert.match(sentence, new RegExp(`^${textOf(given)}`));
  await reader.cancel();
  await write.catch(() => {});
});

Deno.test("SpeechToText hears any rate, channels and size of frames the same", async () => {
  const samples = joinSamples(spoken);
  for (const sampleRate of [8000, 44_100, 48_000]) {
    const resampler = await StreamingResampler.create({
      inputRate: 16_000,
      outputRate: sampleRate,
    });
    const parts = [resampler.process(samples), resampler.flush()];
    resampler[Symbol.dispose]();
    const mono = new Float32Array(parts[0]!.length + parts[1]!.length);
    mono.set(parts[0]!);
    mono.set(parts[1]!, parts[0]!.length);
    const planar = new Float32Array(2 * mono.length);
    planar.set(mono);
    planar.set(mono, mono.length);
    for (const frameSize of [441, 100_000]) {
      const frames = cut(planar, { sampleRate, numberOfChannels: 2, frameSize });
      assert.equal(textOf(await hear(frames)), sentence, `${sampleRate} ${frameSize}`);
    }
  }
});

Deno.test("SpeechToText goes by the timestamps where frames are lost", async () => {
  let timestamp = 5e6;
  const frames = spoken.map((frame, index) => {
    if (index % 20 === 19) timestamp += 20_000; // one that did not come
    const moved = frame.with({ timestamp });
    timestamp += frame.duration;
    return moved;
  });
  const transcripts = await hear(frames, { stepMs: 500, windowMs: 2000, overlapMs: 1000 });
  assert.equal(textOf(transcripts), sentence);
  assert.equal(transcripts[0]!.start, 5e6);
  assert.ok(Math.abs(transcripts.at(-1)!.end - timestamp) < 1000);
});

Deno.test("SpeechToText hears each utterance on its own, at its time", async () => {
  const utterances = await Promise.all(["one", "two birds"].map(async (text, index) => {
    const [frame] = cut(joinSamples(await sayAll(text)), { frameSize: 100_000 });
    return new AudioFrame({ ...frame!, timestamp: index * 5e6, metadata: { segment: index } });
  }));
  const transcripts = await hear(utterances, { mode: "utterances" });
  assert.deepEqual(transcripts.map(({ text, start, final }) => [text, start, final]), [
    ["one", 0, true],
    ["two birds", 5e6, true],
  ]);
  assert.deepEqual(transcripts.map(({ end }) => end), [187_500, 5_562_500]);
});

Deno.test("SpeechToText ends what it hears where time jumps or the format changes", async () => {
  const one = await sayAll("one");
  const two = (await sayAll("two")).map((frame) =>
    frame.with({ timestamp: frame.timestamp + 9e6 })
  );
  assert.deepEqual((await hear([...one, ...two])).map(({ text }) => text), ["one", "two"]);
});

Deno.test("SpeechToText hears nothing in silence, nor in frames without samples", async () => {
  assert.deepEqual(await hear(silence({ seconds: 5 })), []);
  assert.deepEqual(await hear([spoken[0]!.with({ data: new Float32Array() })]), []);
});

Deno.test("SpeechToText forgets at an interrupt what it heard", async () => {
  const node = new SpeechToText({ ...ear, stepMs: 500 });
  const pipeline = new Pipeline([node]);
  const chunks = new TransformStream<AudioFrame>();
  const writer = chunks.writable.getWriter();
  const done = Array.fromAsync(pipeline.run(chunks.readable));
  for (const frame of await sayAll("zebra")) await writer.write(frame);
  await pipeline.interrupt();
  for (const frame of await sayAll("one two")) {
    await writer.write(frame.with({ timestamp: frame.timestamp + 20e6 }));
  }
  await writer.close();
  assert.equal(textOf(await done), "one two");
});

Deno.test("SpeechToText forgets the frame that ended a run when an interrupt came meanwhile", async () => {
  const node = new SpeechToText({ ...ear, stepMs: 500 });
  await node.open();
  const say = async (text: string, timestamp: number) =>
    (await sayAll(text, 10_000))[0]!.with({ timestamp });
  await Array.fromAsync(node.process(await say("zebra", 0)));
  const void_ = await say("lazy", 20e6);
  const ending = Array.fromAsync(node.process(void_));
  node.onInterrupt();
  assert.deepEqual(await ending, []);
  const next = await say("one two", 20e6 + void_.duration);
  const heard = [
    ...await Array.fromAsync(node.process(next)),
    ...await Array.fromAsync(node.flush()),
  ];
  assert.equal(textOf(heard), "one two");
  await node.close();
});

Deno.test("SpeechToText refuses what is no audio, no number, or no model of its kind", async () => {
  const fault = async (chunk: unknown, options: Partial<SpeechToTextInput> = {}) => {
    try {
      await hear([chunk as AudioFrame], options);
    } catch (error) {
      assert.ok(error instanceof NodeError);
      return `${error.cause}`;
    }
    throw new Error("it did not fail");
  };
  assert.match(
    await fault("hi"),
    /TypeError: SpeechToText takes an audio frame: it was given text/,
  );
  const odd = (value: number) => spoken[0]!.with({ data: new Float32Array([0, value]) });
  assert.match(await fault(odd(NaN)), /RangeError: .*finite: current value is NaN at 0\.000 s/);
  assert.match(await fault(odd(Infinity)), /RangeError: .*finite: current value is Infinity/);
  assert.match(await fault(spoken[0]!, { model: "tiny/voice" }), /Cannot load model tiny\/voice/);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import { type AudioFrame, Pipeline } from "../../../core/mod.ts";
import { AudioFader } from "../../../nodes/audio/audio_fader.ts";
import { joinSamples, noise, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf, keepsAllSamples } from "./_bad_input.ts";
import { difference, ffmpeg } from "./_ffmpeg.ts";

/** What comes out when `frames` are interrupted after `before` of them. */
async function interrupted(frames: AudioFrame[], before: number): Promise<AudioFrame[]> {
  const pipeline = new Pipeline([new AudioFader({ fadeMs: 20 })]);
  const outputs = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  for (const frame of frames.slice(0, before)) await writer.write(frame);
  await pipeline.interrupt();
  for (const frame of frames.slice(before)) await writer.write(frame);
  await writer.close();
  return await outputs;
}

Deno.test("AudioFader without an interrupt gives every sample as it was, in its time", async () => {
  const frames = noise({ seconds: 0.5, sampleRate: 48_000, numberOfChannels: 2, timestamp: 7 });
  const outputs = await through<AudioFrame>(new AudioFader({ fadeMs: 30 }), frames);
  deepEqual(joinSamples(outputs), joinSamples(frames));
  let position = 0;
  for (const frame of outputs) {
    equal(frame.timestamp, Math.round(7 + position * 1e6 / 48_000));
    position += frame.numberOfFrames;
  }
});

Deno.test("AudioFader fades out on an interrupt and in after it as ffmpeg's afade hsin within 2e-3", async () => {
  const frames = noise({ seconds: 0.2, sampleRate: 48_000, numberOfChannels: 2, amplitude: 1 });
  const outputs = await interrupted(frames, 5); // 100 ms
  const first = outputs.findIndex(({ metadata }) => metadata.fade === "out");
  const [before, after] = [outputs.slice(0, first + 1), outputs.slice(first + 1)];
  const out = await ffmpeg(frames.slice(0, 5), "afade=t=out:st=0.08:d=0.02:curve=hsin");
  const into = await ffmpeg(frames.slice(5), "afade=t=in:st=0:d=0.02:curve=hsin");
  ok(difference(joinSamples(before), out.samples) < 2e-3);
  ok(difference(joinSamples(after), into.samples) < 2e-3);
});

Deno.test("AudioFader does not click: a 200 Hz tone never steps further than it does by itself", async () => {
  const tone = sine({ frequency: 200, amplitude: 1, sampleRate: 48_000, seconds: 0.3 });
  const steps = (samples: Float32Array) =>
    samples.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - (samples[index - 1] ?? 0))),
      0,
    );
  const own = steps(joinSamples(tone));
  for (const cut of [1, 3, 8]) {
    const outputs = await interrupted(tone, cut);
    equal(outputs.filter(({ metadata }) => metadata.fade === "out").length, 1);
    const most = steps(joinSamples(outputs));
    ok(most < 1.1 * own, `a step of ${most}, the tone's own are ${own}`);
  }
});

Deno.test("AudioFader gives what it holds at a jump or a change of format", async () => {
  const frames = anyChannels();
  const outputs = await keepsAllSamples(new AudioFader(), frames);
  equal(outputs.length, frames.length);
  const back = [...sine({ seconds: 0.1, timestamp: 1e6 }), ...sine({ seconds: 0.1 })];
  const again = await keepsAllSamples(new AudioFader(), back);
  deepEqual(joinSamples(again), joinSamples(back));
  equal(again.at(-1)!.timestamp, 80_000);
});

Deno.test("AudioFader takes empty frames and NaN", async () => {
  const frames = [
    frameOf({ data: new Float32Array(0) }),
    frameOf({ data: Float32Array.of(NaN, 1) }),
  ];
  const outputs = await through<AudioFrame>(new AudioFader(), frames);
  deepEqual([...joinSamples(outputs)], [NaN, 1]);
});

Deno.test("AudioFader never changes the samples of a frame that came in", async () => {
  const frames = sine({ seconds: 0.1, amplitude: 1 });
  const copies = frames.map(({ data }) => data.slice());
  await interrupted(frames, 1);
  deepEqual(frames.map(({ data }) => data), copies);
});

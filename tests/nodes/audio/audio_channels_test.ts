import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type AudioFrame, Marker, Pipeline } from "../../../core/mod.ts";
import { AudioChannelMerger } from "../../../nodes/audio/audio_channel_merger.ts";
import { AudioChannelSplitter } from "../../../nodes/audio/audio_channel_splitter.ts";
import { joinSamples, noise, silence } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf, keepsAllSamples } from "./_bad_input.ts";
import { ffmpeg } from "./_ffmpeg.ts";

/** Noise that differs from channel to channel. */
function manyChannels(channels: number, sampleRate: number): AudioFrame[] {
  const frames = noise({ seconds: 0.3, sampleRate, frameSize: 441, numberOfChannels: channels });
  return frames.map((frame) =>
    frame.with({ data: frame.data.map((x, at) => x / (1 + Math.floor(at / frame.numberOfFrames))) })
  );
}

Deno.test("AudioChannelSplitter gives what ffmpeg's pan gives, bit for bit", async () => {
  const frames = manyChannels(3, 44_100);
  const outputs = await through<AudioFrame>(new AudioChannelSplitter({ channels: [2] }), frames);
  const { samples } = await ffmpeg(frames, "pan=3c|c0=c2|c1=c0|c2=c1");
  deepEqual(joinSamples(outputs), samples.subarray(0, samples.length / 3));
});

Deno.test("AudioChannelSplitter takes 1 to 32 channels, empty frames and NaN", async () => {
  await keepsAllSamples(new AudioChannelSplitter(), anyChannels());
  const [empty, left] = await through<AudioFrame>(new AudioChannelSplitter(), [
    frameOf({ data: new Float32Array(0) }),
    frameOf({ data: Float32Array.of(NaN, 1), numberOfChannels: 2 }),
  ]);
  equal(empty!.numberOfFrames, 0);
  deepEqual([...left!.data], [NaN]);
});

Deno.test("AudioChannelSplitter names the channel that a frame lacks", async () => {
  const run = through(new AudioChannelSplitter({ channels: [0, 2] }), silence());
  await rejects(run, /the frame must have a channel 2: current value is 1/);
  const named = through(new AudioChannelSplitter({ tracks: ["a", "b"] }), silence());
  await rejects(named, /as many channels as there are tracks, 2: current value is 1/);
});

for (const [channels, sampleRate] of [[2, 48_000], [6, 44_100], [32, 16_000]] as const) {
  Deno.test(`AudioChannelMerger puts ${channels} split channels together bit for bit`, async () => {
    const frames = manyChannels(channels, sampleRate);
    const tracks = Array.from({ length: channels }, (_, index) => `track ${index}`);
    const line = new Pipeline([
      new AudioChannelSplitter({ tracks }),
      new AudioChannelMerger({ tracks, frameMs: 10 }),
    ]);
    const outputs = await Array.fromAsync(line.run(frames));
    deepEqual(joinSamples(outputs), joinSamples(frames));
    ok(outputs.every((frame) => frame.numberOfChannels === channels));
    for (const [index, { timestamp }] of outputs.entries()) equal(timestamp, index * 10_000);
  });
}

Deno.test("AudioChannelMerger fills with silence where a track is late or has ended", async () => {
  const a = noise({ seconds: 1, metadata: { track: "a" } });
  const line = new Pipeline([new AudioChannelMerger({ tracks: ["a", "b"], maxWaitMs: 100 })]);
  const reader = line.run(a).getReader();
  const outputs: AudioFrame[] = [];
  for (let read; !(read = await reader.read()).done;) outputs.push(read.value as AudioFrame);
  const samples = joinSamples(outputs);
  deepEqual(samples.subarray(0, 16_000), joinSamples(a));
  ok(samples.subarray(16_000).every((sample) => sample === 0));

  const end = new Marker({ name: "track-end", data: { track: "b" } });
  const b = silence({ seconds: 0.02, metadata: { track: "b" } });
  const ended = new Pipeline([new AudioChannelMerger({ tracks: ["a", "b"], maxWaitMs: 60_000 })]);
  const order: string[] = [];
  const input = [...b, end, ...a, new Marker({ name: "last" })];
  for await (const chunk of ended.run(input) as ReadableStream<AudioFrame | Marker>) {
    order.push(chunk instanceof Marker ? chunk.name : "frame");
  }
  equal(order.indexOf("last"), order.length - 1); // nothing waited for b
});

Deno.test("AudioChannelMerger names a track that it does not know, and another rate", async () => {
  const stranger = silence({ metadata: { track: "c" } });
  await rejects(
    through(new AudioChannelMerger({ tracks: ["a", "b"] }), stranger),
    /metadata.track must be one of a, b: current value is "c"/,
  );
  const frames = [16_000, 8000].map((sampleRate) =>
    frameOf({ data: new Float32Array(80), sampleRate, metadata: { track: "a" } })
  );
  const run = through(new AudioChannelMerger({ tracks: ["a"] }), frames);
  await rejects(run, /track a in AudioChannelMerger as all tracks must have 16000 Hz .* is 8000/);
  const odd = [frameOf({ data: new Float32Array(80), metadata: { track: {} } })];
  await rejects(
    through(new AudioChannelMerger({ tracks: ["a"] }), odd),
    /must be a text or a number/,
  );
});

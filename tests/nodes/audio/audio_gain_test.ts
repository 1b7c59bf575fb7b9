import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type AudioFrame, Marker, Pipeline } from "../../../core/mod.ts";
import { AudioGain } from "../../../nodes/audio/audio_gain.ts";
import { joinSamples, noise, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf, keepsAllSamples } from "./_bad_input.ts";
import { difference, ffmpeg } from "./_ffmpeg.ts";

Deno.test("AudioGain is ffmpeg's volume within 1e-6", async () => {
  const frames = noise({ numberOfChannels: 2, seconds: 0.5, sampleRate: 48_000 });
  const outputs = await through<AudioFrame>(new AudioGain({ gainDb: -7.3 }), frames);
  const { samples } = await ffmpeg(frames, "volume=-7.3dB:precision=float");
  const most = difference(joinSamples(outputs), samples);
  ok(most < 1e-6, `${most}`);
  deepEqual(outputs.map(({ timestamp }) => timestamp), frames.map(({ timestamp }) => timestamp));
});

Deno.test("AudioGain ramps up from silence as ffmpeg's afade within 2e-4", async () => {
  const frames = noise({ numberOfChannels: 2, seconds: 0.5, sampleRate: 48_000, frameSize: 333 });
  const node = new AudioGain({ fromDb: -120, gainDb: 0, rampMs: 250 });
  const outputs = await through<AudioFrame>(node, frames);
  const { samples } = await ffmpeg(frames, "afade=t=in:st=0:d=0.25:curve=tri");
  const most = difference(joinSamples(outputs), samples);
  ok(most < 2e-4, `${most}`);
});

Deno.test("AudioGain changes where a marker says so, in a straight line", async () => {
  const ones = [0, 1, 2, 3].map((index) =>
    frameOf({ data: new Float32Array(160).fill(1), timestamp: index * 10_000 })
  );
  const marker = new Marker({ name: "gain", data: { gainDb: -120, rampMs: 20 } });
  const line = new Pipeline([new AudioGain()]).run([ones[0]!, marker, ...ones.slice(1)]);
  const outputs = (await Array.fromAsync<AudioFrame | Marker>(line))
    .filter((output) => !(output instanceof Marker));
  const samples = joinSamples(outputs as AudioFrame[]);
  equal(samples[159], 1);
  for (const [index, expected] of [[160, 1], [320, 0.5], [400, 0.25], [480, 0], [639, 0]]) {
    ok(Math.abs(samples[index!]! - expected!) < 1e-6, `${samples[index!]} at ${index}`);
  }
});

Deno.test("AudioGain refuses a marker gain that has no gain", async () => {
  const chunks = [sine()[0]!, new Marker({ name: "gain", data: { gainDb: "loud" } })];
  const run = Array.fromAsync(new Pipeline([new AudioGain()]).run(chunks));
  await rejects(run, /failed in marker: Cannot take marker gain/);
});

Deno.test("AudioGain takes 1 to 32 channels, empty frames, NaN and jumps back in time", async () => {
  await keepsAllSamples(new AudioGain({ gainDb: 6 }), anyChannels());
  const odd = [
    frameOf({ data: new Float32Array(0), timestamp: 5000 }),
    frameOf({ data: Float32Array.of(NaN, Infinity, 1), timestamp: 100 }),
    frameOf({ data: Float32Array.of(1), timestamp: 0, sampleRate: 8000 }),
  ];
  const outputs = await keepsAllSamples(new AudioGain({ gainDb: -20 }), odd);
  deepEqual(outputs.map(({ timestamp }) => timestamp), [5000, 100, 0]);
  deepEqual([...outputs[1]!.data], [NaN, Infinity, Math.fround(0.1)]);
  deepEqual([...outputs[2]!.data], [Math.fround(0.1)]);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { AudioResampler } from "../../../nodes/audio/audio_resampler.ts";
import { type AudioData, ExtractAudioData } from "../../../nodes/audio/extract_audio_data.ts";
import { joinSamples, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";
import { ffmpeg } from "./_ffmpeg.ts";

Deno.test("ExtractAudioData gives samples in the layout and type asked for", async () => {
  const data = Float32Array.of(0, 0.5, -1, 1, NaN, -Infinity);
  const frames = [frameOf({ data, numberOfChannels: 2 }), frameOf({ data: new Float32Array(0) })];
  const node = new ExtractAudioData({ layout: "interleaved", sampleType: "int16" });
  const [samples, empty] = await through<AudioData>(node, frames);
  deepEqual(samples, Int16Array.of(0, 32_767, 16_384, 0, -32_768, -32_768));
  equal(empty!.length, 0);
  const [planar] = await through<AudioData>(new ExtractAudioData(), frames);
  equal(planar, data); // not copied
});

Deno.test("ExtractAudioData takes 1 to 32 channels", async () => {
  const node = new ExtractAudioData({ layout: "interleaved" });
  const outputs = await through<AudioData>(node, anyChannels(10));
  for (const [index, samples] of outputs.entries()) {
    const channels = index + 1;
    equal(samples.length, 10 * channels);
    equal(samples[channels - 1], anyChannels(10)[index]!.channel(index)[0]);
  }
});

Deno.test("AudioResampler resamples a tone as ffmpeg's soxr-grade swr within 1e-3", async () => {
  const frames = sine({ frequency: 1000, sampleRate: 48_000, seconds: 0.5 });
  const outputs = await through<AudioFrame>(new AudioResampler({ sampleRate: 16_000 }), frames);
  const { samples } = await ffmpeg(frames, "aresample=16000:filter_size=128:phase_shift=14");
  const ours = joinSamples(outputs);
  equal(ours.length, 8000);
  for (let index = 200; index < 7800; index++) {
    ok(Math.abs(ours[index]! - samples[index]!) < 1e-3, `sample ${index}`);
  }
});

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { NoiseSuppressor } from "../../../nodes/audio/noise_suppressor.ts";
import { cut, joinSamples, noise, sine, speech } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { frameOf } from "./_bad_input.ts";
import { ffmpeg } from "./_ffmpeg.ts";

/** Six seconds of speech at 48 kHz. */
async function voice(): Promise<Float32Array> {
  const [first] = cut(joinSamples(await speech()).slice(16_000, 7 * 16_000), { frameSize: 96_000 });
  const { samples } = await ffmpeg([first!], "aresample=48000");
  return samples;
}

/** 10 log10 of the power of what is wanted to that of the rest, after the best gain. */
function signalToNoise(wanted: Float32Array, heard: Float32Array): number {
  let [cross, power, all] = [0, 0, 0];
  for (const [index, value] of wanted.entries()) {
    cross += value * heard[index]!;
    power += value * value;
    all += heard[index]! ** 2;
  }
  const signal = cross * cross / power;
  return 10 * Math.log10(signal / (all - signal));
}

const db = (samples: Float32Array) =>
  10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

Deno.test("NoiseSuppressor is RNNoise's native build within -35 dB of the signal", async () => {
  const spoken = joinSamples(await speech()).subarray(16_000, 40_000);
  const hiss = joinSamples(noise({ sampleRate: 48_000, seconds: 1.5, amplitude: 0.05 }));
  const frames = cut(hiss.map((sample, index) => sample + spoken[Math.floor(index / 3)]!), {
    sampleRate: 48_000,
    frameSize: 441,
  });
  const outputs = await through<AudioFrame>(new NoiseSuppressor(), frames);
  const url = new URL("../../testdata/rnnoise/denoised.s16", import.meta.url);
  const expected = new Int16Array((await Deno.readFile(url)).slice().buffer);
  const actual = joinSamples(outputs).subarray(48_000, 60_000);
  const ratio = signalToNoise(Float32Array.from(expected, (sample) => sample / 32_768), actual);
  ok(ratio > 35, `${ratio} dB`);
});

Deno.test("NoiseSuppressor takes white noise at 5 dB out of speech: at least 4 dB better, in its place", async () => {
  const wanted = await voice();
  const hiss = joinSamples(noise({ sampleRate: 48_000, seconds: 6, amplitude: 1 }));
  const scale = 10 ** ((db(wanted) - db(hiss) - 5) / 20);
  const noisy = wanted.map((sample, index) => sample + scale * hiss[index]!);
  const before = signalToNoise(wanted, noisy);
  const frames = cut(noisy, { sampleRate: 48_000, frameSize: 441 });
  const outputs = await through<AudioFrame>(new NoiseSuppressor(), frames);
  deepEqual(outputs.map(({ timestamp }) => timestamp), frames.map(({ timestamp }) => timestamp));
  deepEqual(outputs.map(({ data }) => data.length), frames.map(({ data }) => data.length));
  const after = signalToNoise(wanted, joinSamples(outputs));
  ok(Math.abs(before - 5) < 0.5, `${before} dB`);
  ok(after > before + 4, `${before} dB before, ${after} dB after`);
});

Deno.test("NoiseSuppressor makes noise alone at least 15 dB quieter, at any rate and channel", async () => {
  for (const [sampleRate, numberOfChannels] of [[48_000, 1], [16_000, 2], [44_100, 1]] as const) {
    const frames = noise({ sampleRate, numberOfChannels, seconds: 2 });
    const outputs = await through<AudioFrame>(new NoiseSuppressor(), frames);
    equal(joinSamples(outputs).length, joinSamples(frames).length);
    const late = outputs.slice(50).map((frame) => db(frame.data));
    const loudest = Math.max(...late);
    ok(loudest < db(frames[0]!.data) - 15, `${loudest} dBFS at ${sampleRate} Hz`);
  }
});

Deno.test("NoiseSuppressor keeps clean speech where it is, at 16 kHz", async () => {
  const frames = (await speech()).slice(0, 300);
  const outputs = await through<AudioFrame>(new NoiseSuppressor(), frames);
  const ratio = signalToNoise(joinSamples(frames), joinSamples(outputs));
  ok(ratio > 8, `${ratio} dB`); // a shift of one sample would not leave that of the consonants
  const shifted = joinSamples(outputs).subarray(8);
  ok(signalToNoise(joinSamples(frames).subarray(0, shifted.length), shifted) < ratio - 3);
});

Deno.test("NoiseSuppressor of strength 0 gives the audio as it came", async () => {
  const frames = noise({ sampleRate: 48_000, seconds: 0.2 });
  const outputs = await through<AudioFrame>(new NoiseSuppressor({ strength: 0 }), frames);
  deepEqual(joinSamples(outputs), joinSamples(frames));
});

Deno.test("NoiseSuppressor does not depend on how audio is cut", async () => {
  const samples = joinSamples(noise({ sampleRate: 44_100, seconds: 0.3 }));
  const run = async (frameSize: number) =>
    joinSamples(
      await through<AudioFrame>(
        new NoiseSuppressor(),
        cut(samples, { sampleRate: 44_100, frameSize }),
      ),
    );
  const whole = await run(samples.length);
  for (const frameSize of [100, 441, 4000]) deepEqual(await run(frameSize), whole);
});

Deno.test("NoiseSuppressor takes 1 to 32 channels, empty frames, changes of format and jumps back", async () => {
  const frames = [1, 2, 5, 32].map((numberOfChannels, index) =>
    frameOf({
      data: new Float32Array(480 * numberOfChannels).fill(0.1),
      numberOfChannels,
      sampleRate: index % 2 === 0 ? 96_000 : 48_000,
      timestamp: 1e6 - index,
    })
  );
  const odd = [
    frameOf({ data: new Float32Array(0), timestamp: 9 }),
    ...frames,
    ...sine({ seconds: 0.1 }),
  ];
  const outputs = await through<AudioFrame>(new NoiseSuppressor(), odd);
  deepEqual(outputs.map(({ timestamp }) => timestamp), odd.map(({ timestamp }) => timestamp));
  deepEqual(outputs.map(({ data }) => data.length), odd.map(({ data }) => data.length));
});

Deno.test("NoiseSuppressor names NaN and infinite samples", async () => {
  const frame = frameOf({ data: Float32Array.of(0, Infinity) });
  const message = /sample 1 of channel 0 must be a finite number: current value is Infinity/;
  await rejects(through(new NoiseSuppressor(), [frame]), message);
});

Deno.test("NoiseSuppressor leaves nothing behind in the global scope", async () => {
  await through(new NoiseSuppressor(), sine({ seconds: 0.1 }));
  equal("WorkerGlobalScope" in globalThis, false);
});

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Tensor } from "../../../core/mod.ts";
import { FeatureExtractor } from "../../../nodes/audio/feature_extractor.ts";
import { cut, joinSamples, noise, silence, sine, speech } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";
import { difference } from "./_ffmpeg.ts";

/** What librosa gave, every 8th spectrum: see testdata/features/make.py. */
async function reference(name: string): Promise<Float32Array> {
  const url = new URL(`../../testdata/features/${name}.f32`, import.meta.url);
  return new Float32Array((await Deno.readFile(url)).slice().buffer);
}

/** Every 8th spectrum of the tensors of one spectrum each. */
function everyEighth(tensors: Tensor[]): Float32Array {
  const kept = tensors.filter((_, index) => index % 8 === 0);
  return Float32Array.from(kept.flatMap(({ data }) => [...data as Float32Array]));
}

const cases = [
  ["log_mel", { feature: "log-mel", topDb: 80 }],
  ["mfcc", { feature: "mfcc", topDb: 80 }],
  ["mfcc_unclipped", { feature: "mfcc" }],
  ["log_mel_400", { feature: "log-mel", nFft: 400, hopLength: 160, nMels: 80 }],
] as const;

for (const [name, options] of cases) {
  Deno.test(`FeatureExtractor ${name} of speech is librosa's within 1e-3`, async () => {
    const tensors = await through<Tensor>(new FeatureExtractor(options), await speech());
    equal(tensors.length, name === "log_mel_400" ? 2090 : 653);
    const most = difference(everyEighth(tensors), await reference(name));
    ok(most < 1e-3, `${most}`);
  });
}

Deno.test("FeatureExtractor does not depend on how audio is cut", async () => {
  const samples = joinSamples(noise({ seconds: 0.7 }));
  const run = (frameSize: number) =>
    through<Tensor>(new FeatureExtractor({ framesPerTensor: 5 }), cut(samples, { frameSize }));
  const whole = await run(samples.length);
  deepEqual(whole.map(({ dims }) => dims), [[5, 128], [5, 128], [5, 128], [5, 128], [2, 128]]);
  deepEqual(whole.map(({ timestamp }) => timestamp), [0, 160_000, 320_000, 480_000, 640_000]);
  for (const frameSize of [1, 77, 512, 5000]) deepEqual(await run(frameSize), whole);
});

Deno.test("FeatureExtractor gives spectra further apart than they are long where they belong", async () => {
  const samples = joinSamples(noise({ seconds: 0.7 }));
  const rules = { nFft: 64, nMels: 8 };
  const run = (hopLength: number, frameSize: number) =>
    through<Tensor>(new FeatureExtractor({ ...rules, hopLength }), cut(samples, { frameSize }));
  const close = await run(50, samples.length);
  for (const frameSize of [samples.length, 1, 333, 1000]) {
    const apart = await run(1000, frameSize);
    equal(apart.length, 1 + Math.floor(samples.length / 1000));
    deepEqual(apart, close.filter((_, index) => index % 20 === 0));
  }
});

Deno.test("FeatureExtractor finds a tone in the mel band that is around it", async () => {
  const frames = sine({ frequency: 1000, sampleRate: 22_050, seconds: 0.5 });
  const tensors = await through<Tensor>(
    new FeatureExtractor({ feature: "mel", nMels: 40 }),
    frames,
  );
  const bands = [...tensors[10]!.data as Float32Array];
  const mel = 15; // of Slaney's, 1 kHz
  const highest = 15 + Math.log(11.025) / (Math.log(6.4) / 27);
  equal(bands.indexOf(Math.max(...bands)), Math.round(41 * mel / highest) - 1);
});

Deno.test("FeatureExtractor with topDb refuses streams that are longer than maxSeconds", async () => {
  const node = new FeatureExtractor({ topDb: 80, maxSeconds: 2 });
  await rejects(through(node, silence({ seconds: 5 })), /not be longer than maxSeconds, 2/);
});

Deno.test("FeatureExtractor starts anew at a change of format and a jump back in time", async () => {
  const tensors = await through<Tensor>(
    new FeatureExtractor({ framesPerTensor: 99 }),
    anyChannels(640),
  );
  deepEqual(tensors.map(({ dims }) => dims[0]), Array(32).fill(2));
  const [late, early] = [sine({ seconds: 0.1, timestamp: 5e6 }), sine({ seconds: 0.1 })];
  const run = (frames: typeof late) =>
    through<Tensor>(new FeatureExtractor({ framesPerTensor: 99 }), frames);
  const both = await run([...late, ...early]);
  deepEqual(both, [...await run(late), ...await run(early)]);
});

Deno.test("FeatureExtractor names what it cannot take", async () => {
  const node = () => new FeatureExtractor({ fMax: 8000 });
  await rejects(
    through(node(), sine({ sampleRate: 8000 })),
    /at most half the sample rate, 4000 Hz/,
  );
  const nan = frameOf({ data: Float32Array.of(0, NaN) });
  await rejects(through(node(), [nan]), /sample 1 of channel 0 must be a finite number: .* NaN/);
  deepEqual(await through(node(), [frameOf({ data: new Float32Array(0) })]), []);
});

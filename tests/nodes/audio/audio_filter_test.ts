import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { AudioFilter } from "../../../nodes/audio/audio_filter.ts";
import { joinSamples, noise, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { difference, ffmpeg } from "./_ffmpeg.ts";

const filter = (graph: string, frames: AudioFrame[]) => through(new AudioFilter({ graph }), frames);

for (const graph of ["highpass=f=120", "afftdn", "loudnorm", "aecho,acompressor", "atempo=2"]) {
  Deno.test(`AudioFilter gives what ffmpeg gives on its own for ${graph}, within 1e-6`, async () => {
    const frames = noise({ seconds: 1, sampleRate: 48_000, numberOfChannels: 2 });
    const outputs = await filter(graph, frames);
    // some filters see the frames' borders: they are the same on both sides
    const { samples } = await ffmpeg(frames, `asetnsamples=960:p=0,${graph}`);
    ok(difference(joinSamples(outputs), samples) <= 1e-6);
  });
}

Deno.test("AudioFilter keeps times to the sample through filters that delay", async () => {
  const frames = sine({ seconds: 0.5, sampleRate: 44_100, timestamp: 3_000_000 });
  const delayed = await filter("adelay=100", frames);
  equal(delayed[0]!.timestamp, 3_000_000);
  const heard = joinSamples(delayed).findIndex((sample) => sample !== 0);
  equal(heard, 4410 + 1); // a sine begins with 0
  const shifted = await filter("asetpts=PTS-0.25/TB", frames);
  equal(shifted[0]!.timestamp, 2_750_000);
  const late = await filter("areverse", frames);
  equal(late[0]!.timestamp, 3_000_000);
  let at = 0;
  for (const { timestamp, numberOfFrames } of late) {
    equal(timestamp, Math.round(3_000_000 + at * 1e6 / 44_100));
    at += numberOfFrames;
  }
});

Deno.test("AudioFilter tells the rate and the channels that the graph gives", async () => {
  const frames = sine({ seconds: 0.2, metadata: { from: "microphone" } });
  const outputs = await filter("aresample=8000,pan=stereo|c0=c0|c1=0*c0", frames);
  const { sampleRate, numberOfChannels, metadata } = outputs[0]!;
  deepEqual([sampleRate, numberOfChannels, metadata], [8000, 2, { from: "microphone" }]);
  equal(Math.max(...outputs[0]!.channel(1)), 0);
});

Deno.test("AudioFilter leaves gaps, and starts anew with another format or an earlier time", async () => {
  const early = sine({ seconds: 0.04 });
  const later = sine({ seconds: 0.04, timestamp: 1_000_000 });
  const wide = sine({ seconds: 0.04, timestamp: 2_000_000, numberOfChannels: 2 });
  const inputs = [...early, ...later, ...wide, ...early];
  const outputs = await filter("anull", inputs);
  deepEqual(outputs, inputs);
});

Deno.test("AudioFilter fails before the first frame with ffmpeg's own words", async () => {
  await rejects(filter("nosuch", sine()), /in open: .*No such filter: 'nosuch'/);
  await rejects(filter("highpass=f=x", sine()), /in open: .*f=x|in open: .*'x'/);
});

Deno.test("AudioFilter takes 1 to 32 channels and empty frames, and refuses NaN", async () => {
  for (const numberOfChannels of [1, 6, 11, 32]) {
    const frames = sine({ seconds: 0.04, numberOfChannels });
    const [first] = frames;
    const empty = first!.with({ data: new Float32Array(0) });
    deepEqual(await filter("anull", [empty, ...frames]), frames);
  }
  const broken = sine({ seconds: 0.02 })[0]!.with({ data: new Float32Array([0, NaN]) });
  await rejects(filter("anull", [broken]), /sample 1 of channel 0 must be a finite number/);
});

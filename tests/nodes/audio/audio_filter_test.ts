import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame, NodeContext } from "../../../core/mod.ts";
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

/** A click at 3 s of 5 in noise: how much of it all comes out before the end, and how much later the click. */
async function latencyOf(graph: string): Promise<{ heldBackMs: number; laterMs: number }> {
  const node = new AudioFilter({ graph });
  const frames = noise({ seconds: 5, sampleRate: 48_000, numberOfChannels: 2, amplitude: 0.01 });
  frames[150]!.data.fill(1, 0, 1);
  const writer = node.writable.getWriter();
  let [givenUs, quietSince, peak, peakUs] = [0, performance.now(), 0, 0];
  const reading = (async () => {
    for await (const { data, timestamp, sampleRate, numberOfFrames } of node.readable) {
      givenUs = timestamp + numberOfFrames / sampleRate * 1e6;
      quietSince = performance.now();
      for (const [index, sample] of data.subarray(0, numberOfFrames).entries()) {
        const at = timestamp + index / sampleRate * 1e6;
        if (Math.abs(sample) > peak && at > 1e6) [peak, peakUs] = [Math.abs(sample), at];
      }
    }
  })();
  for (const frame of frames) await writer.write(frame);
  while (performance.now() - quietSince < 500) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const heldBackMs = (5e6 - givenUs) / 1000;
  await writer.close();
  await reading;
  return { heldBackMs, laterMs: (peakUs - 3e6) / 1000 };
}

Deno.test("AudioFilter adds no delay of its own; afftdn's and loudnorm's are those of its docs", async () => {
  const [highpass, denoised, loud] = await Promise.all(
    ["highpass=f=100", "afftdn", "loudnorm"].map(latencyOf),
  );
  console.log({ highpass, denoised, loud });
  deepEqual(highpass, { heldBackMs: 0, laterMs: 0 });
  ok(denoised!.heldBackMs === 0 && Math.abs(denoised!.laterMs - 25) < 2);
  ok(Math.abs(loud!.heldBackMs - 3000) < 100);
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
    deepEqual(await filter("anull", [empty, empty]), []);
  }
  const broken = sine({ seconds: 0.02 })[0]!.with({ data: new Float32Array([0, NaN]) });
  await rejects(filter("anull", [broken]), /sample 1 of channel 0 must be a finite number/);
});

Deno.test("AudioFilter forgets the frame that ended a line when an interrupt came meanwhile", async () => {
  const node = new AudioFilter({ graph: "anull" });
  const context = { name: "AudioFilter", signal: new AbortController().signal, wake() {} };
  await node.open(context as unknown as NodeContext);
  const [before, meanwhile, after] = [9e6, 0, 1e6].map((timestamp) =>
    sine({ frameSize: 16_000, timestamp })[0]!
  );
  await Array.fromAsync(node.process(before!)!);
  const ending = Array.fromAsync(node.process(meanwhile!)!);
  node.onInterrupt();
  deepEqual(await ending, []);
  const heard = [
    ...await Array.fromAsync(node.process(after!)!),
    ...await Array.fromAsync(node.flush()),
  ];
  deepEqual(heard.map(({ timestamp }) => timestamp), [1e6]);
  await node.close();
});

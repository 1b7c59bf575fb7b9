import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type AudioFrame, Pipeline } from "../../../core/mod.ts";
import { Recorder } from "../../../nodes/audio/recorder.ts";
import { cut, joinSamples, noise, silence, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { frameOf } from "./_bad_input.ts";
import { ffmpeg } from "./_ffmpeg.ts";

const user = (timestamp = 0, seconds = 0.1) =>
  noise({ seconds, timestamp, metadata: { track: "user" } });
const bot = (timestamp = 0, seconds = 0.1) =>
  noise({ seconds, timestamp, seed: 9, metadata: { track: "bot" } });

Deno.test("Recorder puts two tracks in step as ffmpeg's adelay, bit for bit", async () => {
  const frames = [...user(), ...bot(312_500, 0.2), ...user(700_000)];
  const outputs = await through<AudioFrame>(new Recorder({ tracks: ["user", "bot"] }), frames);
  const ones = await ffmpeg(user(), "asplit[a][b];[b]adelay=11200S[b1];[a][b1]amix=normalize=0");
  const twos = await ffmpeg(bot(0, 0.2), "adelay=5000S,apad=whole_len=12800");
  const samples = joinSamples(outputs);
  equal(samples.length, 2 * 12_800);
  deepEqual(samples.subarray(0, 12_800), ones.samples);
  deepEqual(samples.subarray(12_800), twos.samples);
  for (const [index, { timestamp }] of outputs.entries()) equal(timestamp, index * 20_000);
});

Deno.test("Recorder mixes tracks into one channel", async () => {
  const recorder = new Recorder({ tracks: ["user", "bot"], layout: "mix" });
  const outputs = await through<AudioFrame>(recorder, [...user(), ...bot()]);
  const [a, b] = [joinSamples(user()), joinSamples(bot())];
  deepEqual(joinSamples(outputs), a.map((sample, index) => sample + b[index]!));
});

Deno.test("Recorder leaves out a gap that is longer than maxGapMs", async () => {
  const recorder = new Recorder({ tracks: ["user"], maxGapMs: 1000 });
  const outputs = await through<AudioFrame>(recorder, [...user(), ...user(600_000), ...user(9e6)]);
  equal(joinSamples(outputs).length, 12_800);
  ok(outputs.some(({ timestamp }) => timestamp === 9e6));
});

Deno.test("Recorder by arrival lays speech made faster than real time end to end, and gaps by the clock", async () => {
  const recorder = new Recorder({ tracks: ["user", "bot"], clock: "arrival", maxWaitMs: 10 });
  const line = new Pipeline([recorder]);
  const written = line.writable.getWriter();
  const outputs = Array.fromAsync(line.readable);
  const burst = cut(new Float32Array(8000).fill(1), { metadata: { track: "bot" } });
  for (const frame of burst) await written.write(frame.with({ timestamp: 0 })); // 500 ms at once
  const start = performance.now();
  await delay(700);
  const waited = (performance.now() - start) / 1000;
  await written.write(
    frameOf({ data: new Float32Array(320).fill(1), metadata: { track: "user" } }),
  );
  await written.close();
  const frames = (await outputs) as AudioFrame[];
  const samples = joinSamples(frames);
  const length = samples.length / 2;
  const [left, right] = [samples.subarray(0, length), samples.subarray(length)];
  ok(right.subarray(0, 8000).every((sample) => sample === 1));
  ok(right.subarray(8000).every((sample) => sample === 0));
  const at = left.indexOf(1) / 16_000;
  ok(at >= waited - 0.01 && at < waited + 1, `the user is heard at ${at} s, spoke at ${waited} s`);
});

Deno.test("Recorder by arrival refuses a track that runs ahead of the clock without end", async () => {
  const recorder = new Recorder({ tracks: ["bot"], clock: "arrival", maxAheadMs: 1000 });
  const frames = silence({ seconds: 30, metadata: { track: "bot" } });
  await rejects(through(recorder, frames), /bot as it must be at most 1000 ms ahead of the clock/);
});

Deno.test("Recorder keeps what it holds when it is interrupted", async () => {
  const line = new Pipeline([new Recorder({ tracks: ["user", "bot"] })]);
  const writer = line.writable.getWriter();
  const outputs = Array.fromAsync(line.readable);
  for (const frame of user()) await writer.write(frame);
  await line.interrupt();
  for (const frame of user(100_000)) await writer.write(frame);
  await writer.close();
  const samples = joinSamples((await outputs) as AudioFrame[]);
  equal(samples.length / 2, 3200);
  deepEqual(samples.subarray(0, 1600), joinSamples(user()));
});

Deno.test("Recorder names a track that it does not know, and takes empty frames and NaN", async () => {
  await rejects(through(new Recorder({ tracks: ["user"] }), sine()), /one of user: .* is "0"/);
  const metadata = { track: "user" };
  const frames = [
    frameOf({ data: new Float32Array(0), metadata }),
    frameOf({ data: Float32Array.of(NaN), metadata }),
  ];
  const outputs = await through<AudioFrame>(new Recorder({ tracks: ["user"] }), frames);
  deepEqual([...joinSamples(outputs)], [NaN]);
});

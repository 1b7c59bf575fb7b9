import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type AudioFrame, Pipeline } from "../../../core/mod.ts";
import { SpeechSegmenter } from "../../../nodes/audio/speech_segmenter.ts";
import { VoiceActivityDetector } from "../../../nodes/ml/voice_activity_detector.ts";
import { joinSamples, nodeContract, noise, silence, sine, speech } from "../../../testing/mod.ts";
import { contractOf } from "../data/_contract_of.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";

/** Where the original's demo has speech, in seconds of 15. */
const spoken = [[1, 3.5], [5, 7], [9, 12], [13.5, 14.5]] as const;

/** That file: a tone where there is speech, in frames of 20 ms, with the note that says so. */
function demo(): AudioFrame[] {
  return sine({ seconds: 15, frequency: 220 }).map((frame) => {
    const seconds = frame.timestamp / 1e6;
    const isSpeech = spoken.some(([start, end]) => seconds >= start && seconds < end);
    const data = isSpeech ? frame.data : new Float32Array(frame.data.length);
    return frame.with({ data, metadata: { speech: isSpeech } });
  });
}

const seconds = (frames: AudioFrame[]) =>
  frames.map(({ timestamp, duration }) => [timestamp / 1e6, (timestamp + duration) / 1e6]);

Deno.test("SpeechSegmenter finds the four segments of the original's demo, pre-roll and hang-over exact", async () => {
  const node = new SpeechSegmenter({ preRollMs: 150, hangOverMs: 310 });
  const segments = await through<AudioFrame>(node, demo());
  const rounded = spoken.map(([start, end]) => [start - 0.15, end + 0.31])
    .map((times) => times.map((time) => Math.round(time * 1e6) / 1e6));
  deepEqual(seconds(segments), rounded);
  deepEqual(segments.map(({ metadata }) => metadata.segment), [0, 1, 2, 3]);
  const samples = joinSamples(demo());
  const first = segments[0]!;
  deepEqual(first.data, samples.slice(0.85 * 16_000, 0.85 * 16_000 + first.numberOfFrames));
});

Deno.test("SpeechSegmenter with the energy engine finds the same four within 64 ms", async () => {
  const node = new SpeechSegmenter({
    engine: "energy",
    preRollMs: 0,
    hangOverMs: 0,
    minSpeechMs: 200,
  });
  const segments = await through<AudioFrame>(node, demo());
  equal(segments.length, 4);
  for (const [index, [start, end]] of seconds(segments).entries()) {
    ok(Math.abs(start! - spoken[index]![0]) < 0.064, `${start}`);
    ok(Math.abs(end! - spoken[index]![1]) < 0.064, `${end}`);
  }
});

Deno.test("SpeechSegmenter finds the three sentences of real speech, by either way", async () => {
  const inside = new SpeechSegmenter({ engine: "silero", hangOverMs: 700 });
  const line = new Pipeline([
    new VoiceActivityDetector({ emit: "annotate" }),
    new SpeechSegmenter({ hangOverMs: 700 }),
  ]);
  const ways = [
    await through<AudioFrame>(inside, await speech()),
    await Array.fromAsync(line.run(await speech())),
  ];
  for (const segments of ways) {
    equal(segments.length, 3);
    for (const [index, [start, end]] of [[1.25, 3.9], [5.7, 12.4], [14.34, 19.26]].entries()) {
      const [from, to] = seconds(segments)[index]!;
      ok(from! < start! + 0.1 && from! > start! - 0.4, `${index} starts at ${from}`);
      ok(to! > end! - 0.1 && to! < end! + 0.9, `${index} ends at ${to}`);
    }
  }
});

Deno.test("SpeechSegmenter cuts what is too long without a gap, and gives the last one at the end", async () => {
  const metadata = { speech: true, speaker: "a" };
  const frames = noise({ seconds: 2.5, metadata });
  const segments = await through<AudioFrame>(new SpeechSegmenter({ maxLengthMs: 1000 }), frames);
  deepEqual(seconds(segments), [[0, 1], [1, 2], [2, 2.5]]);
  deepEqual(segments.map(({ metadata }) => metadata.reason), ["max-length", "max-length", "end"]);
  deepEqual(joinSamples(segments), joinSamples(frames));
  equal(segments[0]!.metadata.speaker, "a");
});

Deno.test("SpeechSegmenter drops speech that is too short, and keeps it as pre-roll of what follows", async () => {
  const note = (frames: AudioFrame[], speech: boolean) =>
    frames.map((f) => f.with({ metadata: { speech } }));
  const blip = [
    ...note(noise({ seconds: 0.1 }), true),
    ...note(silence({ seconds: 2, timestamp: 100_000 }), false),
  ];
  deepEqual(await through(new SpeechSegmenter({ minSpeechMs: 200 }), blip), []);
  const node = new SpeechSegmenter({ minSpeechMs: 120, hangOverMs: 20, preRollMs: 1000 });
  const more = [
    ...blip.slice(0, 10),
    ...note(noise({ seconds: 0.2, timestamp: 200_000 }), true),
  ];
  deepEqual(seconds(await through<AudioFrame>(node, more)), [[0, 0.4]]);
});

Deno.test("SpeechSegmenter ends a segment at a change of format and a jump in time", async () => {
  const metadata = { speech: true };
  const frames = anyChannels(8000).map((frame) => frame.with({ metadata }));
  const segments = await through<AudioFrame>(new SpeechSegmenter(), frames);
  equal(segments.length, 32);
  deepEqual(
    segments.map(({ numberOfChannels }) => numberOfChannels),
    frames.map((f) => f.numberOfChannels),
  );
  equal(segments[0]!.metadata.reason, "break");
  const jump = [...noise({ timestamp: 5e6, metadata }), ...noise({ metadata })];
  deepEqual(seconds(await through<AudioFrame>(new SpeechSegmenter(), jump)), [[5, 6], [0, 1]]);
});

Deno.test("SpeechSegmenter says what it needs of frames, and what NaN does", async () => {
  await rejects(
    through(new SpeechSegmenter(), sine()),
    /metadata.speech must be a boolean .*annotate/,
  );
  const data = new Float32Array(1600).fill(NaN);
  const passes = new SpeechSegmenter({ minSpeechMs: 0 });
  const nan = frameOf({ data, metadata: { speech: true } });
  equal((await through(passes, [frameOf({ data: new Float32Array(0) }), nan])).length, 1);
  await rejects(through(new SpeechSegmenter({ engine: "energy" }), [nan]), /NaN|finite/);
});

const inside = contractOf({
  create: (config) => new SpeechSegmenter({ engine: "energy", hangOverMs: 100 }, config),
  inputs: () => demo().slice(0, 250),
});
for (const { name, run } of nodeContract(inside)) {
  Deno.test(`SpeechSegmenter with an engine inside ${name}`, run);
}

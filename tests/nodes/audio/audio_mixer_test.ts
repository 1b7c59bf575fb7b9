import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { AudioMixer } from "../../../nodes/audio/audio_mixer.ts";
import { joinSamples, noise, silence, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";
import { difference, ffmpeg } from "./_ffmpeg.ts";

/** Frames in the order of their times, as they come from several sources at once. */
function inOrder(...tracks: AudioFrame[][]): AudioFrame[] {
  return tracks.flat().sort((a, b) => a.timestamp - b.timestamp);
}

Deno.test("AudioMixer adds three tracks as ffmpeg's amix, to the sample, within 1e-6", async () => {
  const format = { sampleRate: 48_000, numberOfChannels: 2, seconds: 0.5 };
  const source = noise({ ...format, frameSize: 480 });
  const track = (name: string, samples: number, frameSize: number) =>
    noise({
      ...format,
      frameSize,
      timestamp: samples * 1e6 / 48_000,
      metadata: { track: name },
    });
  const frames = inOrder(track("a", 0, 480), track("b", 1001, 441), track("c", 7777, 1024));
  const mixer = new AudioMixer({ tracks: 3, gainsDb: { c: -6 } });
  const outputs = await through<AudioFrame>(mixer, frames);
  const { samples } = await ffmpeg(
    source,
    "asplit=3[a][b][c];[b]adelay=1001S|1001S[b1];[c]adelay=7777S|7777S,volume=-6dB:precision=float[c1];" +
      "[a][b1][c1]amix=inputs=3:normalize=0:duration=longest",
  );
  const most = difference(joinSamples(outputs), samples);
  ok(most < 1e-6, `${most}`);
  deepEqual(outputs[0]!.metadata.tracks, ["a"]);
  deepEqual(outputs.at(-1)!.metadata.tracks, ["c"]);
});

Deno.test("AudioMixer holds no more than maxWaitMs of a track that is alone", async () => {
  const mixer = new AudioMixer({ tracks: 2, maxWaitMs: 100 });
  const frames = sine({ seconds: 10, metadata: { track: "a" } });
  let held = 0;
  let taken = 0;
  const source = ReadableStream.from(frames).pipeThrough(
    new TransformStream<AudioFrame, AudioFrame>({
      transform(frame, controller) {
        taken += frame.numberOfFrames;
        controller.enqueue(frame);
      },
    }),
  );
  let given = 0;
  for await (const frame of source.pipeThrough(mixer)) {
    given += frame.numberOfFrames;
    held = Math.max(held, taken - given);
  }
  equal(given, 160_000);
  ok(held <= 1600 + 5 * 320, `${held} samples were held`); // and what the streams between hold
});

Deno.test("AudioMixer gives nothing where no track has sound, whatever the gap", async () => {
  const hour = 3_600_000_000;
  const frames = [0, hour, 2 * hour].flatMap((timestamp) => silence({ seconds: 0.02, timestamp }));
  const outputs = await through<AudioFrame>(new AudioMixer(), frames);
  deepEqual(outputs.map(({ timestamp }) => timestamp), [0, hour, 2 * hour]);
});

Deno.test("AudioMixer leaves out what jumps back in time, and goes on", async () => {
  const frames = sine({ seconds: 0.2 });
  const outputs = await through<AudioFrame>(new AudioMixer(), [
    ...frames,
    ...noise({ seconds: 0.1 }),
    ...silence({ seconds: 0.1, timestamp: 200_000 }),
  ]);
  const samples = joinSamples(outputs);
  equal(samples.length, 4800);
  deepEqual(samples.subarray(0, 3200), joinSamples(frames));
});

Deno.test("AudioMixer counts samples, so that rounded timestamps make no clicks", async () => {
  const frames = sine({ sampleRate: 44_100, frameSize: 441, seconds: 1 }).map((frame, index) =>
    frame.with({ timestamp: index * 10_000 + (index % 2) * 700 })
  );
  const outputs = await through<AudioFrame>(new AudioMixer({ tracks: 1 }), frames);
  deepEqual(joinSamples(outputs), joinSamples(frames));
});

Deno.test("AudioMixer takes 1 to 32 channels, empty frames and NaN; another rate is refused", async () => {
  const outputs = await through<AudioFrame>(new AudioMixer({ channels: 2 }), anyChannels());
  equal(joinSamples(outputs).length, 2 * 32 * 320);
  const odd = [
    frameOf({ data: new Float32Array(0) }),
    frameOf({ data: Float32Array.of(1, NaN, 1), metadata: { track: "a" } }),
    frameOf({ data: Float32Array.of(1, 1, 1), metadata: { track: "b" } }),
  ];
  deepEqual([...joinSamples(await through<AudioFrame>(new AudioMixer(), odd))], [2, NaN, 2]);
  const rates = [16_000, 44_100].map((sampleRate) =>
    frameOf({ data: new Float32Array(160), sampleRate })
  );
  await rejects(through(new AudioMixer(), rates), /16000 Hz .*AudioTransform.* is 44100/);
});

Deno.test("AudioMixer refuses more tracks than it can tell apart", async () => {
  const frames = Array.from(
    { length: 257 },
    (_, track) => frameOf({ data: new Float32Array(16), metadata: { track } }),
  );
  await rejects(through(new AudioMixer(), frames), /at most 256 tracks/);
});

Deno.test("AudioMixer takes any text for the name of a track", async () => {
  for (const track of ["constructor", "toString", "__proto__"]) {
    const frames = [...sine({ seconds: 0.02, metadata: { track } })];
    const [mixed] = await Array.fromAsync(
      ReadableStream.from(frames).pipeThrough(new AudioMixer()),
    );
    deepEqual(mixed!.data.slice(0, frames[0]!.data.length), frames[0]!.data);
  }
});

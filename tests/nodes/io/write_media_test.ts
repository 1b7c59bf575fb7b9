import { deepEqual, equal, ok } from "node:assert/strict";
import { AudioFrame, Marker, VideoFrame } from "../../../core/mod.ts";
import {
  probeMedia,
  readMedia,
  writeMedia,
  type WriteMediaOptions,
} from "../../../nodes/io/mod.ts";
import {
  ffmpeg,
  ffprobe,
  inFolder,
  kindOf,
  samplesOf,
  shiftOf,
  snrDb,
  speech,
  tone,
} from "./_media.ts";

const noProgram = { ffmpeg: "/nowhere/ffmpeg" };

/** Frames of a tone with the given timestamps, 0.1 s each. */
function tones(...timestamps: number[]): ReadableStream<AudioFrame> {
  const make = (timestamp: number) =>
    new AudioFrame({ data: tone(), sampleRate: 16_000, timestamp });
  return ReadableStream.from(timestamps.map(make));
}

/** What a stream of bytes took. */
function collect() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  return { writable, bytes: new Response(readable).bytes() };
}

Deno.test("writeMedia writes every plain WAV as ffmpeg reads it, with the true length", async () => {
  await inFolder(async (folder) => {
    const sources = [1, 2, 6].map((channels) => ({
      channels,
      start: 2,
      duration: 0.3,
      ...noProgram,
    }));
    for (const sampleFormat of ["u8", "s16", "s24", "s32", "f32", "f64"] as const) {
      for (const source of sources) {
        const path = `${folder}/${sampleFormat}.wav`;
        const options = { sampleFormat, ...noProgram };
        await readMedia(speech, source).pipeTo(writeMedia(path, options));
        const frames = await Array.fromAsync(readMedia(path, noProgram));
        const original = await Array.fromAsync(readMedia(speech, source));
        for (let channel = 0; channel < source.channels; channel++) {
          const [got, wanted] = [samplesOf(frames, channel), samplesOf(original, channel)];
          // the speech has 16 bits: nothing is lost but by 8
          if (sampleFormat === "u8") ok(snrDb(wanted, got) > 20);
          else deepEqual(got, wanted, sampleFormat);
        }
        const asFloats = await ffmpeg("-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-");
        equal(asFloats.length, 4 * source.channels * 4800);
        const { size } = await Deno.stat(path);
        const view = new DataView((await Deno.readFile(path)).buffer);
        equal(view.getUint32(4, true), size - 8);
      }
    }
  });
});

Deno.test("writeMedia rounds, clips and pads the samples of a WAV", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/odd.wav`;
    const data = Float32Array.of(1, -1, 2, -2, NaN, 0.4 / 128, 0.6 / 128);
    const frame = new AudioFrame({ data, sampleRate: 8000 });
    await ReadableStream.from([frame]).pipeTo(writeMedia(path, { sampleFormat: "u8" }));
    const bytes = await Deno.readFile(path);
    deepEqual([...bytes.subarray(44)], [255, 0, 255, 0, 128, 128, 129, 0]);
    equal(new DataView(bytes.buffer).getUint32(40, true), 7);
    await ReadableStream.from([frame]).pipeTo(writeMedia(path, { sampleFormat: "s16" }));
    const samples = [...new Int16Array((await Deno.readFile(path)).buffer, 44)];
    deepEqual(samples, [32_767, -32_768, 32_767, -32_768, 0, 102, 154]);
  });
});

Deno.test("writeMedia fills gaps with silence, lets what is early follow, and starts at the first frame", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gap.wav`;
    const secondsOf = async (options: WriteMediaOptions, ...timestamps: number[]) => {
      await tones(...timestamps).pipeTo(writeMedia(path, options));
      return (await probeMedia(path)).duration;
    };
    equal(await secondsOf({}, 5e6, 5.1e6, 5.2e6), 0.3);
    equal(await secondsOf({}, 5e6, 5.109e6, 5.209e6), 0.3, "jitter");
    equal(await secondsOf({}, 5e6, 7e6), 2.1);
    equal(await secondsOf({}, 0, 0, 0), 0.3, "no timestamps");
    equal(await secondsOf({ gaps: "skip" }, 5e6, 7e6), 0.2);
    await tones(5e6, 7e6).pipeTo(writeMedia(path));
    const samples = samplesOf(await Array.fromAsync(readMedia(path)));
    ok(samples.subarray(1600, 32_000).every((sample) => sample === 0));
    ok(snrDb(tone(), samples.subarray(32_000)) > 60);
    const mp3 = `${folder}/gap.mp3`;
    await tones(5e6, 7e6).pipeTo(writeMedia(mp3));
    const heard = samplesOf(await Array.fromAsync(readMedia(mp3)));
    ok(heard.length >= 33_600 && heard.length < 36_000);
    ok(heard.subarray(4000, 28_000).every((sample) => Math.abs(sample) < 1e-3));
    ok(snrDb(tone().subarray(400, 1200), heard.subarray(32_400)) > 15);
  });
});

Deno.test("writeMedia writes speech in any format at its time", async () => {
  const original = samplesOf(await Array.fromAsync(readMedia(speech, { duration: 3 })));
  await inFolder(async (folder) => {
    const cases: [string, string, WriteMediaOptions][] = [
      ["a.mp3", "mp3", { audio: { bitrate: 64_000 } }],
      ["a.m4a", "aac", {}],
      ["a.opus", "opus", {}],
      ["a.ogg", "vorbis", {}],
      ["a.flac", "flac", { sampleFormat: "s16" }],
      ["a.webm", "opus", { video: false }],
      ["a.mka", "pcm_s16le", { audio: { codec: "pcm_s16le" } }],
      ["a.wav", "adpcm_ms", { audio: { codec: "adpcm_ms" } }],
    ];
    for (const [name, codec, options] of cases) {
      const path = `${folder}/${name}`;
      await readMedia(speech, { duration: 3 }).pipeTo(writeMedia(path, options));
      const info = await probeMedia(path);
      equal(info.audio?.codec, codec);
      const frames = await Array.fromAsync(readMedia(path, { sampleRate: 16_000 }));
      const samples = samplesOf(frames);
      ok(samples.length >= 47_990 && samples.length < 50_000, `${name}: ${samples.length}`);
      const lead = Math.round(frames[0]!.timestamp * 0.016);
      const shift = shiftOf(samples, original, 300);
      ok(
        Math.abs(shift - lead) <= (name === "a.webm" ? 110 : 2),
        `${name} is ${shift} samples off`,
      );
      if (codec === "flac" || codec === "pcm_s16le") deepEqual(samples, original);
      if (name === "a.mp3") ok(Math.abs(info.bitrate! - 64_000) < 3000, `${info.bitrate}`);
    }
    deepEqual([...Deno.readDirSync(folder)].filter(({ name }) => name.includes("part")), []);
  });
});

Deno.test("writeMedia writes to streams, MP4 in fragments", async () => {
  const original = samplesOf(await Array.fromAsync(readMedia(speech, { duration: 3 })));
  // how late the speech is, in samples: MP3 and MP2 cannot tell the delay of their encoder in a stream
  const delays = { wav: 0, mp4: 0, m4a: 0, mov: 0, flac: 0, webm: 80, mp3: 1105, mpegts: 481 };
  for (const [format, delay] of Object.entries(delays)) {
    const { writable, bytes } = collect();
    await readMedia(speech, { duration: 3 }).pipeTo(writeMedia(writable, { format }));
    const frames = await Array.fromAsync(readMedia(await bytes, { sampleRate: 16_000 }));
    const samples = samplesOf(frames);
    ok(samples.length >= 47_900 && samples.length < 50_000, `${format}: ${samples.length} samples`);
    const late = Math.round(frames[0]!.timestamp * 0.016) - shiftOf(samples, original, 1200);
    ok(Math.abs(late - delay) <= 2, `${format} is ${late} samples late`);
  }
  const { writable, bytes } = collect();
  await readMedia(speech, { duration: 1, ...noProgram }).pipeTo(writeMedia(writable, noProgram));
  equal((await bytes).length, 44 + 32_000); // WAV, if nothing else is said
});

/** A film of 2 s: a picture that gets brighter, at uneven times, and a tone that begins 0.3 s later. */
function* film(): Generator<AudioFrame | VideoFrame | Marker> {
  let atUs = 0;
  for (let index = 0; atUs < 2e6; index++) {
    const data = new Uint8Array(64 * 36 * 3 / 2).fill(128);
    data.fill(16 + 2 * index, 0, 64 * 36);
    yield new VideoFrame({
      data,
      format: "I420",
      codedWidth: 64,
      codedHeight: 36,
      timestamp: 7e6 + atUs,
    });
    if (index === 3) yield new Marker({ name: "passes" });
    const at = atUs / 1e6 * 16_000;
    atUs += index % 3 === 0 ? 20_000 : 50_000;
    if (atUs <= 300_000) continue;
    const end = atUs / 1e6 * 16_000;
    const start = Math.max(at, 4800);
    const audio = tone({ frames: 40_000 }).slice(start, end);
    yield new AudioFrame({ data: audio, sampleRate: 16_000, timestamp: 7e6 + start / 0.016 });
  }
}

Deno.test("writeMedia writes audio and video of one film in step, each at its own times", async () => {
  await inFolder(async (folder) => {
    const wanted = [...film()].filter((frame) => frame.kind === "video")
      .map(({ timestamp }) => timestamp - 7e6);
    const cases: [string, WriteMediaOptions][] = [
      ["a.mp4", { audio: {}, video: { codec: "libx264" } }],
      ["a.mkv", { audio: {}, video: { codec: "ffv1" } }],
      ["a.webm", { video: { codec: "libvpx", bitrate: 200_000 } }],
    ];
    for (const [name, options] of cases) {
      const path = `${folder}/${name}`;
      await ReadableStream.from(film()).pipeTo(writeMedia(path, options));
      const frames = await Array.fromAsync(readMedia(path, { video: {}, sampleRate: 16_000 }));
      const pictures = kindOf(frames, "video");
      equal(pictures.length, wanted.length, name);
      const offset = pictures[0]!.timestamp; // of the encoder's delay, in files whose clock starts with it
      for (const [index, { timestamp, data }] of pictures.entries()) {
        ok(Math.abs(timestamp - offset - wanted[index]!) <= 1000, `${name}: ${timestamp}`);
        ok(Math.abs(data[0]! - 16 - 2 * index) <= 8, `${name}: picture ${index} is ${data[0]}`);
      }
      const audio = kindOf(frames, "audio");
      const samples = samplesOf(audio);
      const onset = samples.findIndex((sample) => Math.abs(sample) > 0.1);
      const onsetUs = audio[0]!.timestamp + onset / 0.016 - offset;
      ok(Math.abs(onsetUs - 300_000) < 8000, `${name}: the tone begins at ${onsetUs} µs`);
    }
    const fixed = `${folder}/fixed.mp4`;
    await ReadableStream.from(film()).pipeTo(writeMedia(fixed, { video: { fps: 10 } }));
    const [[rate] = []] = await ffprobe(
      "-select_streams",
      "v",
      "-show_entries",
      "stream=avg_frame_rate",
      fixed,
    );
    equal(rate, "10/1");
    const mute = `${folder}/mute.mp4`;
    await ReadableStream.from(film()).pipeTo(writeMedia(mute, { audio: false }));
    const info = await probeMedia(mute);
    equal(info.audio, undefined);
    ok(Math.abs(info.duration! - 2) < 0.1);
  });
});

Deno.test("writeMedia takes every pixel format", async () => {
  await inFolder(async (folder) => {
    const red = {
      I420: [[...Array(64).fill(81), ...Array(16).fill(90), ...Array(16).fill(240)]],
      NV12: [[...Array(64).fill(81), ...Array(16).fill([90, 240]).flat()]],
      RGBA: [Array(64).fill([255, 0, 0, 255]).flat()],
      BGRA: [Array(64).fill([0, 0, 255, 255]).flat()],
      RGBX: [Array(64).fill([255, 0, 0, 0]).flat()],
    };
    for (const [format, [pixels]] of Object.entries(red)) {
      const path = `${folder}/${format}.mkv`;
      const frames = [0, 40_000, 80_000].map((timestamp) =>
        new VideoFrame({
          data: Uint8Array.from(pixels!),
          format: format as "I420",
          codedWidth: 8,
          codedHeight: 8,
          timestamp,
        })
      );
      const video = { codec: "ffv1" };
      await ReadableStream.from(frames).pipeTo(writeMedia(path, { audio: false, video }));
      const [first] = await Array.fromAsync(readMedia(path, { audio: false, video: {} }));
      const { data } = first!;
      for (const [index, value] of [[0, 81], [64, 90], [80, 240]] as const) {
        ok(Math.abs(data[index]! - value) <= 2, `${format}: ${data[index]} instead of ${value}`);
      }
    }
  });
});

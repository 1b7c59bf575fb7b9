import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { readMedia, type ReadMediaOptions } from "../../../nodes/io/mod.ts";
import { ffmpeg, inFolder, inPieces, samplesOf, shiftOf, snrDb, speech } from "./_media.ts";

/** No program is there: what is read here is read without one. */
const alone = { ffmpeg: "/nowhere/ffmpeg" };

function read(
  input: string | Uint8Array | ReadableStream<Uint8Array>,
  options: ReadMediaOptions & { video?: undefined } = {},
): Promise<AudioFrame[]> {
  return Array.fromAsync(readMedia(input, { ...alone, ...options }));
}

/** A WAV file of chunks, of which the sizes may lie. */
function wavOf(...chunks: [id: string, content: Uint8Array, size?: number][]): Uint8Array {
  const text = (word: string) => new TextEncoder().encode(word);
  const parts = [text("RIFF\0\0\0\0WAVE")];
  for (const [id, content, size = content.length] of chunks) {
    parts.push(text(id), new Uint8Array(Uint32Array.of(size).buffer), new Uint8Array(content));
    parts.push(new Uint8Array(content.length % 2));
  }
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  new DataView(file.buffer).setUint32(4, file.length - 8, true);
  return file;
}

/** A `fmt ` chunk's content. */
function format(
  { tag = 1, channels = 1, rate = 8000, bits = 16, align = 0 } = {},
): Uint8Array {
  align ||= channels * bits / 8;
  const view = new DataView(new ArrayBuffer(16));
  view.setUint16(0, tag, true);
  view.setUint16(2, channels, true);
  view.setUint32(4, rate, true);
  view.setUint32(8, rate * align, true);
  view.setUint16(12, align, true);
  view.setUint16(14, bits, true);
  return new Uint8Array(view.buffer);
}

const ramp = new Uint8Array(Int16Array.from({ length: 100 }, (_, index) => 300 * index).buffer);

function rampSamples(frames: readonly AudioFrame[]): number[] {
  return [...samplesOf(frames)].map((sample) => sample * 32_768);
}

Deno.test("readMedia reads every plain WAV as ffmpeg does, whatever the pieces it comes in", async () => {
  await inFolder(async (folder) => {
    for (const codec of ["u8", "s16le", "s24le", "s32le", "f32le", "f64le"]) {
      for (const channels of [1, 6]) {
        const path = `${folder}/${codec}.wav`;
        const source = "anoisesrc=d=0.02:r=22050:a=0.9:seed=5";
        await ffmpeg(
          ..."-f lavfi -i".split(" "),
          source,
          ...["-af", `pan=${channels}c|${channelCopies(channels)}`, "-c:a", `pcm_${codec}`, path],
        );
        const expected = new Float32Array(
          (await ffmpeg("-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-")).buffer,
        );
        const file = await Deno.readFile(path);
        for (const input of [path, file, ...[1, 7, 1000].map((size) => inPieces(file, size))]) {
          const frames = await read(input);
          equal(frames[0]!.numberOfChannels, channels);
          for (let channel = 0; channel < channels; channel++) {
            const wanted = expected.filter((_, index) => index % channels === channel);
            const samples = samplesOf(frames, channel);
            equal(samples.length, wanted.length);
            // not deepEqual(): ffmpeg makes 0 of what rounds to -0
            const differs = samples.findIndex((sample, index) => sample !== wanted[index]);
            equal(differs, -1, `${codec}, channel ${channel}, sample ${differs}`);
          }
        }
      }
    }
  });
});

/** Channels that differ in their gain. */
function channelCopies(channels: number): string {
  return Array.from({ length: channels }, (_, index) => `c${index}=${1 / (index + 1)}*c0`).join(
    "|",
  );
}

Deno.test("readMedia gives WAV in frames of frameMs with timestamps from the count of samples", async () => {
  const rate = 11_025; // 20 ms are 220.5 samples
  const file = wavOf(["fmt ", format({ rate })], ["data", new Uint8Array(2 * rate * 30 + 40)]);
  const frames = await read(file);
  const size = Math.round(0.02 * rate);
  let samples = 0;
  for (const frame of frames) {
    equal(frame.timestamp, Math.round(samples * 1e6 / rate));
    samples += frame.numberOfFrames;
  }
  equal(samples, 30 * rate + 20);
  ok(frames.slice(0, -1).every(({ numberOfFrames }) => numberOfFrames === size));
  equal((await read(file, { frameMs: 1000 })).length, 31);
});

Deno.test("readMedia skips chunks before the samples, odd ones with their padding", async () => {
  const odd = new TextEncoder().encode("odd");
  const file = wavOf(["LIST", odd], ["fmt ", format()], ["junk", odd], ["data", ramp], [
    "LIST",
    odd,
  ]);
  deepEqual(rampSamples(await read(file)), Array.from({ length: 100 }, (_, index) => 300 * index));
});

Deno.test("readMedia reads WAV of unknown length to its end", async () => {
  for (const size of [0, 0xffffffff]) {
    const warnings: string[] = [];
    const file = wavOf(["fmt ", format()], ["data", ramp, size]);
    new DataView(file.buffer).setUint32(4, size, true);
    const frames = await read(inPieces(file, 33), { onWarning: (text) => warnings.push(text) });
    equal(samplesOf(frames).length, 100);
    deepEqual(warnings, []);
  }
  // a recording whose header was never completed: it tells the size of itself alone
  const unfinished = wavOf(["fmt ", format()], ["data", ramp, 0]);
  new DataView(unfinished.buffer).setUint32(4, 36, true);
  equal(samplesOf(await read(unfinished)).length, 100);
  const piped = await ffmpeg("-i", speech, "-t", "1", "-f", "wav", "-");
  equal(samplesOf(await read(inPieces(piped, 4096))).length, 16_000);
});

Deno.test("readMedia gives no frame of a WAV without samples", async () => {
  deepEqual(await read(wavOf(["fmt ", format()], ["data", new Uint8Array(0)])), []);
  const tagged = wavOf(["fmt ", format()], ["data", new Uint8Array(0)], ["LIST", ramp]);
  deepEqual(await read(tagged), []);
});

Deno.test("readMedia reads RF64, of which the sizes are longer", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/long.wav`;
    await ffmpeg("-i", speech, "-t", "1", "-rf64", "always", path);
    equal(new TextDecoder().decode((await Deno.readFile(path)).subarray(0, 4)), "RF64");
    equal(samplesOf(await read(path)).length, 16_000);
  });
});

Deno.test("readMedia reads what is there of a WAV that is cut off, and says so", async () => {
  await inFolder(async (folder) => {
    const file = await Deno.readFile(speech);
    const path = `${folder}/cut.wav`;
    await Deno.writeFile(path, file.subarray(0, 44 + 2 * 16_000 + 1));
    for (const input of [path, inPieces(await Deno.readFile(path), 999)]) {
      const warnings: string[] = [];
      const frames = await read(input, { onWarning: (text) => warnings.push(text) });
      equal(samplesOf(frames).length, 16_000);
      equal(warnings.length, 1);
      ok(/is cut off: it has 1\.00 s of the 20\.89 s that its header tells/.test(warnings[0]!));
    }
  });
});

Deno.test("readMedia takes start and duration of a WAV to the sample", async () => {
  const whole = samplesOf(await read(speech));
  for (const input of [speech, inPieces(await Deno.readFile(speech), 5000)]) {
    const frames = await read(input, { start: 1.2345, duration: 0.4321 });
    equal(frames[0]!.timestamp, 1_234_500);
    const start = Math.round(1.2345 * 16_000);
    deepEqual(samplesOf(frames), whole.subarray(start, start + Math.round(0.4321 * 16_000)));
  }
  deepEqual(await read(speech, { start: 100 }), []);
});

Deno.test("readMedia converts WAV to another rate and other channels", async () => {
  const original = samplesOf(await read(speech));
  const frames = await read(speech, { sampleRate: 48_000, channels: 2 });
  equal(frames[0]!.numberOfChannels, 2);
  equal(frames[0]!.numberOfFrames, 960);
  deepEqual(samplesOf(frames, 0), samplesOf(frames, 1));
  equal(samplesOf(frames).length, 3 * original.length);
  const every = samplesOf(frames).filter((_, index) => index % 3 === 0);
  ok(snrDb(original, every) > 40, `${snrDb(original, every)} dB`);
  equal(shiftOf(every, original, 20), 0);
});

Deno.test("readMedia gives the mean of a WAV's channels as one", async () => {
  const pairs = Int16Array.of(1000, 3000, -200, 600, 5, -5);
  const file = wavOf(["fmt ", format({ channels: 2 })], ["data", new Uint8Array(pairs.buffer)]);
  deepEqual(rampSamples(await read(file, { channels: 1 })), [2000, 200, 0]);
});

Deno.test("readMedia reads samples without a header", async () => {
  const pcm = { sampleFormat: "s16", sampleRate: 8000 } as const;
  const frames = await read(inPieces(ramp, 9), { pcm });
  deepEqual(rampSamples(frames), Array.from({ length: 100 }, (_, index) => 300 * index));
});

Deno.test("readMedia refuses WAV headers that cannot be, in one sentence", async () => {
  const cases: [Uint8Array, RegExp][] = [
    [
      wavOf(["fmt ", format({ channels: 33 })], ["data", ramp]),
      /as it has 33 channels where 1 to 32 can be$/,
    ],
    [wavOf(["fmt ", format({ channels: 0, align: 2 })], ["data", ramp]), /as it has 0 channels/],
    [wavOf(["fmt ", format({ rate: 0 })], ["data", ramp]), /as it has a sample rate of 0 Hz/],
    [
      wavOf(["fmt ", format({ bits: 16, align: 5 })], ["data", ramp]),
      /samples of 16 bits in 5 bytes/,
    ],
    [wavOf(["data", ramp], ["fmt ", format()]), /as its samples come before their format$/],
    [wavOf(["fmt ", format()]), /as it is cut off inside its header$/],
    [wavOf(["fmt ", format().subarray(0, 9)], ["data", ramp]), /as its format chunk is cut off$/],
    [wavOf(["LIST", ramp, 5000]), /as it is cut off inside its header$/],
  ];
  for (const [file, message] of cases) {
    await rejects(
      read(file),
      (error: Error) => error.name === "MediaError" && message.test(error.message),
    );
  }
});

Deno.test("readMedia leaves a WAV file closed when its reader cancels, and a stream cancelled", async () => {
  const reader = readMedia(speech).getReader();
  await reader.read();
  await reader.cancel();
  let reason: unknown;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(wavOf(["fmt ", format()], ["data", ramp, 0xffffffff])),
    cancel: (why) => {
      reason = why;
    },
  });
  const second = readMedia(stream).getReader();
  await second.read();
  await second.cancel("enough");
  equal(reason, "enough");
});

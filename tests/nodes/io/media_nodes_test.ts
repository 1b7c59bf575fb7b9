import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { AudioFrame, Marker, Pipeline, type VideoFrame } from "../../../core/mod.ts";
import {
  MediaReader,
  type MediaReaderOptions,
  MediaWriter,
  readMedia,
} from "../../../nodes/io/mod.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { ffmpeg, inPieces, samplesOf, speech, tone } from "./_media.ts";

const folder = await Deno.makeTempDir({ prefix: "remotemedia-test-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const contracts = {
  "MediaReader": nodeContract<string | URL | Uint8Array, AudioFrame>({
    create: (config) => new MediaReader({ duration: 0.1 }, config),
    inputs: () => [speech, speech],
    refused: [
      [() => new MediaReader({ frameMs: -1 }), /frameMs/],
      [() => new MediaReader({ bytes: "some" as "files" }), /bytes/],
    ],
  }),
  "MediaReader of bytes": nodeContract<string | URL | Uint8Array, AudioFrame>({
    create: (config) => new MediaReader({}, config),
    inputs: async () => {
      const bytes = await Deno.readFile(speech);
      return [
        bytes.subarray(0, 20_000),
        bytes.subarray(20_000, 50_001),
        bytes.subarray(50_001, 90_000),
      ];
    },
  }),
  "MediaWriter": nodeContract<AudioFrame, AudioFrame>({
    create: (config) => new MediaWriter<AudioFrame>({ output: `${folder}/contract.wav` }, config),
    inputs: () =>
      [0, 1, 2].map((index) =>
        new AudioFrame({ data: tone(), sampleRate: 16_000, timestamp: index * 1e5 })
      ),
    refused: [
      [() => new MediaWriter({ output: "" }), /output/],
      [() => new MediaWriter({ output: "a.mp3", audio: { bitrate: 0 } }), /audio\.bitrate/],
    ],
  }),
};

for (const [name, cases] of Object.entries(contracts)) {
  for (const { name: check, run } of cases) Deno.test(`${name} ${check}`, run);
}

function readThrough(
  inputs: Iterable<string | URL | Uint8Array> | ReadableStream<Uint8Array>,
  options: MediaReaderOptions & { video?: undefined } = {},
): Promise<AudioFrame[]> {
  return Array.fromAsync(new Pipeline([new MediaReader(options)]).run(inputs));
}

Deno.test("MediaReader gives the frames of paths, URLs, whole files and pieces of one", async () => {
  await ffmpeg("-t", "2", "-i", speech, `${folder}/a.mp3`, `${folder}/a.m4a`);
  const whole = await Array.fromAsync(readMedia(speech, { duration: 2 }));
  const paths = await readThrough([speech, new URL(`file://${speech}`)], { duration: 2 });
  deepEqual(samplesOf(paths.slice(0, whole.length)), samplesOf(whole));
  deepEqual(
    paths.slice(whole.length).map(({ timestamp }) => timestamp),
    whole.map((f) => f.timestamp),
  );
  for (const name of ["a.mp3", "a.m4a"]) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    const wanted = samplesOf(await Array.fromAsync(readMedia(inPieces(bytes, 1000))));
    for (const size of [100, 5000, 1e6]) {
      deepEqual(samplesOf(await readThrough(inPieces(bytes, size))), wanted, `${name} by ${size}`);
    }
    const twice = await readThrough([bytes, bytes], { bytes: "files" });
    equal(samplesOf(twice).length, 2 * wanted.length);
    const mixed = await readThrough([bytes, speech]);
    equal(samplesOf(mixed).length, wanted.length + 334_240);
  }
  const part = await readThrough(inPieces(await Deno.readFile(`${folder}/a.mp3`), 500), {
    duration: 1,
  });
  ok(Math.abs(samplesOf(part).length - 16_000) <= 1);
});

Deno.test("MediaReader gives pictures too", async () => {
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=1"];
  await ffmpeg(...picture, "-preset", "ultrafast", `${folder}/film.mp4`);
  const node = new MediaReader({ video: { width: 32 } });
  const frames: (AudioFrame | VideoFrame)[] = await Array.fromAsync(
    new Pipeline([node]).run([`${folder}/film.mp4`]),
  );
  deepEqual(frames.map(({ kind }) => kind), Array.from({ length: 25 }, () => "video"));
});

Deno.test("MediaReader fails its pipeline with what it cannot read", async () => {
  await rejects(readThrough([`${folder}/none.wav`]), (error: Error) => {
    match(
      error.message,
      /^Node "MediaReader" failed on chunk 0: Cannot read media from ".+none.wav" as there/,
    );
    return error.name === "NodeError";
  });
  await rejects(readThrough([7 as unknown as string]), /its input must be a path, a URL or bytes/);
  await rejects(readThrough([new TextEncoder().encode("nothing".repeat(50))]), /no audio or video/);
});

Deno.test("MediaWriter passes frames and markers on, and completes its file at the end", async () => {
  for (const name of ["b.wav", "b.mp3"]) {
    const output = `${folder}/${name}`;
    const source = async function* () {
      yield* readMedia(speech, { duration: 1 });
      yield new Marker({ name: "half" });
      yield* readMedia(speech, { start: 1, duration: 1 });
    };
    const pipeline = new Pipeline([new MediaWriter<AudioFrame>({ output })]);
    const frames: (AudioFrame | Marker)[] = await Array.fromAsync(pipeline.run(source()));
    equal(frames.length, 101);
    equal(frames[50]!.kind, "marker");
    const written = samplesOf(await Array.fromAsync(readMedia(output)));
    ok(written.length >= 32_000 && written.length < 34_500, `${written.length}`);
  }
});

Deno.test("MediaWriter leaves no file when its pipeline fails or is cancelled", async () => {
  for (const name of ["c.wav", "c.mp3"]) {
    const output = `${folder}/${name}`;
    const failing = async function* () {
      yield* readMedia(speech, { duration: 2 });
      throw new Error("the source broke");
    };
    const node = () => new Pipeline([new MediaWriter<AudioFrame>({ output })]);
    await rejects(Array.fromAsync(node().run(failing())), /the source broke/);
    const reader = node().run(readMedia(speech)).getReader();
    for (let count = 0; count < 100; count++) await reader.read();
    await reader.cancel();
    deepEqual([...Deno.readDirSync(folder)].filter(({ name }) => name.includes("c.")), []);
  }
  const nowhere = new Pipeline([new MediaWriter<AudioFrame>({ output: `${folder}/no/where.wav` })]);
  await rejects(Array.fromAsync(nowhere.run(readMedia(speech))), /there is no directory/);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import { type AudioFrame, EncodedFrame, type VideoFrame } from "../../../core/mod.ts";
import {
  AudioVideoSync,
  FrameSampler,
  SceneDetector,
  type SceneNote,
  Thumbnailer,
  VideoBuffer,
} from "../../../nodes/video/mod.ts";
import { nodeContract, silence } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { greys, pictures } from "./_pictures.ts";

const times = (frames: readonly { timestamp: number }[]) =>
  frames.map(({ timestamp }) => timestamp);

Deno.test("SceneDetector gives the scores of ffmpeg's select filter", async () => {
  const frames = greys([10, 12, 200, 190, 20, 22, 90]);
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", "32x32"],
      ...["-i", "pipe:0", "-vf", "select=gte(scene\\,0),metadata=print:file=-", "-f", "null", "-"],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const bytes = new Blob(frames.map(({ data }) => data as Uint8Array<ArrayBuffer>));
  const [{ stdout }] = await Promise.all([child.output(), bytes.stream().pipeTo(child.stdin)]);
  const expected = Array.from(
    new TextDecoder().decode(stdout).matchAll(/scene_score=([\d.]+)/g),
    ([, score]) => Number(score),
  );
  const outputs = await through(new SceneDetector(), frames);
  const notes = outputs.map(({ metadata }) => metadata.scene as SceneNote);
  deepEqual(notes.slice(1).map(({ score }) => score), expected.slice(1));
  deepEqual(notes.map(({ change }) => change), [true, false, true, false, true, false, true]);
  deepEqual(notes.map(({ index }) => index), [0, 0, 1, 1, 2, 2, 3]);
});

Deno.test("SceneDetector gives only the first frames, of scenes that are long enough", async () => {
  const frames = greys([0, 0, 255, 0, 0, 255, 255]);
  const changes = (minSceneMs: number) =>
    through(new SceneDetector({ emit: "changes", minSceneMs }), frames);
  deepEqual(times(await changes(0)), [0, 80_000, 200_000]); // ffmpeg's score is low when changes follow each other
  deepEqual(times(await changes(100)), [0, 200_000]);
});

Deno.test("FrameSampler takes every n-th, one a period, key frames, and new scenes", async () => {
  const frames = pictures({ count: 9 });
  const sample = (options: ConstructorParameters<typeof FrameSampler>[0]) =>
    through(new FrameSampler(options), frames);
  deepEqual(times(await sample({ every: 4 })), [1_000_000, 1_160_000, 1_320_000]);
  deepEqual(times(await sample({ by: "time", seconds: 0.1 })), [
    1_000_000,
    1_120_000,
    1_200_000,
    1_320_000,
  ]);
  const packets = (["key", "delta", "delta", "key"] as const).map((type, timestamp) =>
    new EncodedFrame({ data: new Uint8Array(1), codec: "h264", type, timestamp })
  );
  deepEqual(times(await through(new FrameSampler({ by: "key" }), packets)), [0, 3]);
  const scenes = await through(new FrameSampler({ by: "scene" }), greys([0, 0, 255, 255]));
  deepEqual(times(scenes), [0, 80_000]);
});

Deno.test("FrameSampler by scene goes on from a snapshot taken anywhere", async () => {
  const cases = nodeContract({
    create: (config) => new FrameSampler({ by: "scene" }, config),
    inputs: () => greys([0, 0, 255, 255, 30, 30]),
  });
  await cases.find(({ name }) => name.includes("snapshot"))!.run();
});

Deno.test("Thumbnailer makes files that ffprobe knows, as often as asked", async () => {
  for (const format of ["jpeg", "png"] as const) {
    const node = new Thumbnailer({ format, width: 16, height: 16, everySeconds: 0.1 });
    const files = await through(node, pictures({ count: 7 }));
    deepEqual(times(files), [1_000_000, 1_120_000, 1_240_000]);
    for (const { data, codec } of files) {
      const child = new Deno.Command("ffprobe", {
        args: [
          "-v",
          "error",
          "-show_entries",
          "stream=codec_name,width,height",
          "-of",
          "csv=p=0",
          "-",
        ],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const input = new Blob([data as Uint8Array<ArrayBuffer>]).stream().pipeTo(child.stdin);
      const { stdout } = await child.output();
      await input.catch(() => {}); // ffprobe may know enough before the end
      equal(new TextDecoder().decode(stdout).trim(), `${codec},16,8`);
    }
  }
});

Deno.test("Thumbnailer makes larger files of better quality", async () => {
  const size = async (quality: number) =>
    (await through(new Thumbnailer({ quality }), pictures({ count: 1, width: 128, height: 128 })))[
      0
    ]!
      .data.length;
  ok(await size(95) > 1.5 * await size(10));
});

Deno.test("VideoBuffer makes lists that overlap, follow each other, or leave frames out", async () => {
  const lists = async (options: ConstructorParameters<typeof VideoBuffer>[0]) =>
    (await through(new VideoBuffer(options), pictures({ count: 7 })))
      .map((list) => list.map(({ metadata }) => metadata.number));
  deepEqual(await lists({ frames: 3 }), [[0, 1, 2], [3, 4, 5], [6]]);
  deepEqual(await lists({ frames: 3, partial: false }), [[0, 1, 2], [3, 4, 5]]);
  deepEqual(await lists({ frames: 3, hop: 2 }), [[0, 1, 2], [2, 3, 4], [4, 5, 6]]);
  deepEqual(await lists({ frames: 2, hop: 4 }), [[0, 1], [4, 5]]);
});

const kinds = (frames: readonly (AudioFrame | VideoFrame)[]) =>
  frames.map(({ kind, timestamp }) => `${kind[0]}${timestamp / 1000}`).join(" ");

Deno.test("AudioVideoSync orders what arrives in any order, and moves audio", async () => {
  const audio = silence({ seconds: 0.1 });
  const video = greys([0, 0, 0]);
  const late = await through(new AudioVideoSync(), [...video, ...audio]);
  equal(kinds(late), "a0 v0 a20 a40 v40 a60 a80 v80");
  const moved = await through(new AudioVideoSync({ audioDelayMs: 50 }), [...audio, ...video]);
  equal(kinds(moved), "v0 v40 a50 a70 v80 a90 a110 a130");
});

Deno.test("AudioVideoSync waits no longer than it may, and then drops or passes what is late", async () => {
  const audio = silence({ seconds: 0.2 });
  const [first, second] = greys([0, 0]);
  const inputs = [...audio, first!, second!];
  const run = async (late: "drop" | "pass") =>
    kinds(await through(new AudioVideoSync({ maxWaitMs: 100, late }), inputs));
  equal(await run("drop"), "a0 a20 a40 a60 a80 a100 a120 a140 a160 a180");
  equal(await run("pass"), "a0 a20 a40 a60 a80 v0 v40 a100 a120 a140 a160 a180");
});

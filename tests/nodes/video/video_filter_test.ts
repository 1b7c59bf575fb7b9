import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Pipeline } from "../../../core/mod.ts";
import { VideoFilter } from "../../../nodes/video/mod.ts";
import { through } from "../data/_through.ts";
import { childProcesses, until } from "../io/_media.ts";
import { pictures, reference } from "./_pictures.ts";

const times = (frames: readonly { timestamp: number }[]) =>
  frames.map(({ timestamp }) => timestamp);

Deno.test("VideoFilter gives the bytes of ffmpeg on its own", async () => {
  const graph = "hflip,eq=contrast=1.5,tmix=frames=3,boxblur=2";
  const frames = pictures();
  const outputs = await through(new VideoFilter({ graph }), frames);
  const expected = await reference(frames, ["-vf", graph, "-f", "rawvideo"]);
  deepEqual(outputs.map(({ data }) => data.length), frames.map(({ data }) => data.length));
  deepEqual(new Uint8Array(outputs.flatMap(({ data }) => [...data])), expected);
  deepEqual(times(outputs), times(frames));
  deepEqual(outputs.map(({ metadata }) => metadata.number), [0, 1, 2, 3, 4, 5]);
  equal(outputs[2]!.duration, 40_000);
});

Deno.test("VideoFilter keeps times to the µs through filters that delay, shift, drop and double", async () => {
  const uneven = pictures().map((frame, index) =>
    frame.with({ timestamp: frame.timestamp + 7 * index ** 2 })
  );
  const given = times(uneven);
  const run = (graph: string) => through(new VideoFilter({ graph }), uneven);
  deepEqual(times(await run("setpts=PTS-2.5/TB")), given.map((at) => at - 2_500_000));
  deepEqual(times(await run("yadif=mode=send_field")).filter((_, i) => i % 2 === 0), given);
  deepEqual(times(await run("select=not(mod(n\\,2))")), [given[0], given[2], given[4]]);
  deepEqual(times(await run("fps=50")).slice(0, 3), [1_000_000, 1_020_000, 1_040_000]);
  const late = await run("reverse");
  deepEqual(times(late), given);
  deepEqual(late[0]!.data, uneven.at(-1)!.data);
});

Deno.test("VideoFilter fails before the first frame with ffmpeg's own words", async () => {
  const filter = (graph: string) => through(new VideoFilter({ graph }), pictures());
  await rejects(filter("nosuch=1"), /in open: .*No such filter: 'nosuch'/);
  await rejects(filter("hue=q=3"), /in open: .*Option 'q' not found/);
  await rejects(filter("scale=w=bogus("), /in open: .*Invalid size 'bogus\('/);
  await rejects(filter("crop=4000:4000"), /Invalid too big or non positive size for width '4000'/);
  await rejects(filter("split[a][b]"), /expected to have exactly 1 input and 1 output/);
});

Deno.test("VideoFilter starts anew with frames of another size or an earlier time", async () => {
  const small = pictures({ count: 2 });
  const large = pictures({ count: 2, width: 64, height: 48, format: "RGBA" });
  const inputs = [...small, ...large, ...small];
  const outputs = await through(new VideoFilter({ graph: "tmix=frames=2" }), inputs);
  deepEqual(times(outputs), times(inputs));
  deepEqual(
    outputs.map(({ codedWidth, format }) => [codedWidth, format]),
    inputs.map(({ codedWidth, format }) => [codedWidth, format]),
  );
});

Deno.test("VideoFilter drops what comes after a graph that has enough", async () => {
  const outputs = await through(new VideoFilter({ graph: "trim=end_frame=2" }), pictures());
  deepEqual(times(outputs), [1_000_000, 1_040_000]);
});

Deno.test("VideoFilter holds a bounded number of frames while nobody reads", async () => {
  let made = 0;
  const [frame] = pictures({ count: 1, width: 640, height: 360 });
  const source = new ReadableStream({
    pull(controller) {
      controller.enqueue(frame!.with({ timestamp: 40_000 * made++ }));
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new VideoFilter({ graph: "null" })).getReader();
  for (let count = 0; count < 30; count++) await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  ok(made < 30 + 20, `${made} frames were taken for 30 outputs`);
  await reader.cancel();
});

Deno.test("VideoFilter holds no more of a graph that never ends than a few frames", async () => {
  const frames = pictures({ count: 1, width: 1280, height: 720, format: "RGBA" });
  const filter = new VideoFilter({ graph: "loop=loop=-1:size=1:start=0" });
  const reader = ReadableStream.from(frames).pipeThrough(filter).getReader();
  for (let count = 0; count < 5; count++) await reader.read();
  const before = Deno.memoryUsage().rss;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const grownMiB = (Deno.memoryUsage().rss - before) / 2 ** 20;
  ok(grownMiB < 100, `${grownMiB} MiB more`); // a frame takes 3.5 MiB, ffmpeg makes hundreds a second
  await reader.cancel();
});

Deno.test("VideoFilter leaves no process, however it ends", async () => {
  const before = new Set(await childProcesses());
  const left = async () => (await childProcesses()).filter((pid) => !before.has(pid));
  const pipeline = new Pipeline([new VideoFilter({ graph: "reverse" })]);
  const writer = pipeline.writable.getWriter();
  const output = Array.fromAsync(pipeline.readable);
  for (const frame of pictures()) await writer.write(frame);
  equal((await left()).length, 1);
  await pipeline.interrupt();
  await until(async () => (await left()).length === 0);
  for (const frame of pictures()) await writer.write(frame);
  await writer.abort(new Error("no more"));
  await rejects(output, /no more/);
  await until(async () => (await left()).length === 0);
});

Deno.test("VideoFilter tells that ffmpeg was killed", async () => {
  const before = new Set(await childProcesses());
  const pipeline = new Pipeline([new VideoFilter({ graph: "reverse" })]);
  const writer = pipeline.writable.getWriter();
  const output = Array.fromAsync(pipeline.readable);
  const told = output.then(() => "", (error) => String(error));
  await writer.write(pictures()[0]!);
  const [pid] = (await childProcesses()).filter((id) => !before.has(id));
  Deno.kill(pid!, "SIGKILL");
  await writer.close().catch(() => {}); // the readable side tells
  match(await told, /Cannot filter video in VideoFilter as ffmpeg was ended by SIGKILL/);
});

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Marker, Pipeline, type VideoFrame } from "../../../core/mod.ts";
import {
  VideoOverlay,
  type VideoOverlayOptions,
  VideoResizer,
  VideoTransform,
  type VideoTransformOptions,
} from "../../../nodes/video/mod.ts";
import { through } from "../data/_through.ts";
import { greys, pictures, reference } from "./_pictures.ts";

const bytesOf = (frames: readonly VideoFrame[]) =>
  new Uint8Array(frames.flatMap(({ data }) => [...data]));

const cases:
  readonly (readonly [Partial<VideoTransformOptions>, string, string, number, number])[] = [
    [{ rotate: 90 }, "transpose=1", "I420", 16, 32],
    [{ rotate: 270, flip: "vertical" }, "transpose=2,vflip", "I420", 16, 32],
    [{ rotate: 180 }, "hflip,vflip", "I420", 32, 16],
    [{ crop: { x: 4, y: 2, width: 10, height: 6 } }, "crop=10:6:4:2", "I420", 10, 6],
    [{ width: 64, height: 64, fit: "fill" }, "scale=64:64:flags=bicubic", "I420", 64, 64],
    [{ width: 64 }, "scale=64:32:flags=bicubic", "I420", 64, 32],
    [{ width: 20, height: 20, fit: "inside" }, "scale=20:10:flags=bicubic", "I420", 20, 10],
    [{ width: 20, height: 20 }, "scale=20:10:flags=bicubic,pad=20:20:0:5", "I420", 20, 20],
    [
      { width: 20, height: 20, fit: "cover" },
      "scale=40:20:flags=bicubic,crop=20:20",
      "I420",
      20,
      20,
    ],
    [{ pad: { left: 4, top: 2 }, background: "#ff8000" }, "pad=36:18:4:2:#ff8000", "I420", 36, 18],
    [{ format: "BGRA" }, "format=bgra", "BGRA", 32, 16],
    [{ format: "NV12" }, "format=nv12", "NV12", 32, 16],
  ];

for (const [options, graph, format, width, height] of cases) {
  Deno.test(`VideoTransform ${JSON.stringify(options)} gives the bytes of ffmpeg's ${graph}`, async () => {
    const frames = pictures({ count: 2 });
    const outputs = await through(new VideoTransform(options), frames);
    deepEqual(
      outputs.map((frame) => [frame.format, frame.codedWidth, frame.codedHeight]),
      [[format, width, height], [format, width, height]],
    );
    deepEqual(bytesOf(outputs), await reference(frames, ["-vf", graph, "-f", "rawvideo"]));
    deepEqual(
      outputs.map(({ timestamp, duration, metadata }) => [timestamp, duration, metadata]),
      frames.map(({ timestamp, duration, metadata }) => [timestamp, duration, metadata]),
    );
  });
}

Deno.test("VideoTransform cuts and pads to odd sizes, wherever the picture begins", async () => {
  for (const format of ["I420", "NV12", "RGBA"] as const) {
    const frames = pictures({ count: 1, width: 15, height: 11, format });
    const options = {
      crop: { x: 3, y: 1, width: 5, height: 7 },
      pad: { left: 3, right: 1, top: 1, bottom: 5 },
    };
    for (const frameRate of [undefined, 25]) {
      const node = new VideoTransform({ ...options, ...(frameRate && { frameRate }) });
      const [padded] = await through(node, frames);
      deepEqual([padded!.codedWidth, padded!.codedHeight], [9, 13]);
      const size = format === "RGBA" ? 4 : 1; // the first plane of the others is brightness
      for (let y = 0; y < 7; y++) {
        const from = ((1 + y) * 15 + 3) * size;
        const to = ((1 + y) * 9 + 3) * size;
        const [line, expected] = [padded!.data, frames[0]!.data].map((
          data,
          which,
        ) => [...data.subarray(which ? from : to, (which ? from : to) + 5 * size)]);
        // RGBA: what stands for its transparency is kept too
        deepEqual(line, expected, `${format}, line ${y}`);
      }
    }
    for (const fit of ["contain", "cover"] as const) {
      const [given] = await through(new VideoTransform({ width: 23, height: 9, fit }), frames);
      deepEqual([given!.codedWidth, given!.codedHeight], [23, 9]);
    }
  }
});

Deno.test("VideoResizer brings any picture into an odd size", async () => {
  for (const [width, height] of [[8, 17], [5, 35], [40, 3]] as const) {
    for (const format of ["NV12", "RGBA"] as const) {
      const frames = pictures({ count: 1, width, height, format });
      const [given] = await through(new VideoResizer({ width: 27, height: 15 }), frames);
      deepEqual([given!.codedWidth, given!.codedHeight, given!.format], [27, 15, format]);
    }
  }
});

Deno.test("VideoTransform changes the rate as ffmpeg's fps does", async () => {
  const frames = pictures({ count: 9 });
  const outputs = await through(new VideoTransform({ frameRate: 10 }), frames);
  deepEqual(outputs.map(({ timestamp }) => timestamp), [1e6, 1.1e6, 1.2e6, 1.3e6]);
  const expected = await reference(frames, ["-vf", "fps=10", "-f", "rawvideo"]);
  deepEqual(bytesOf(outputs), expected);
});

Deno.test("VideoTransform gives a frame that is alone once, whatever the rate", async () => {
  for (const frameRate of [1, 25, 60]) {
    const [frame, other] = [...pictures({ count: 1 }), ...pictures({ count: 1, width: 8 })];
    const outputs = await through(new VideoTransform({ frameRate }), [frame, other]);
    deepEqual(bytesOf(outputs), bytesOf([frame!, other!]));
    deepEqual(outputs.map(({ timestamp }) => timestamp), [1e6, 1e6]);
  }
});

Deno.test("VideoTransform keeps markers between their frames, four frames at once", async () => {
  const inputs = pictures().flatMap((frame, index) => [frame, new Marker({ name: `m${index}` })]);
  const node = new VideoTransform({ flip: "both" }, { concurrency: 4 });
  const outputs = await Array.fromAsync<VideoFrame | Marker>(new Pipeline([node]).run(inputs));
  deepEqual(
    outputs.map((output) => output instanceof Marker ? output.name : output.metadata.number),
    [0, "m0", 1, "m1", 2, "m2", 3, "m3", 4, "m4", 5, "m5"],
  );
});

Deno.test("VideoTransform takes frames that change their size and jump back, four at once", async () => {
  const inputs = [
    ...pictures(),
    ...pictures({ width: 20, height: 10, format: "RGBA" }),
    ...pictures(),
  ];
  const node = new VideoTransform({ flip: "both" }, { concurrency: 4 });
  const outputs = await through(node, inputs);
  deepEqual(
    outputs.map(({ timestamp, codedWidth, format }) => [timestamp, codedWidth, format]),
    inputs.map(({ timestamp, codedWidth, format }) => [timestamp, codedWidth, format]),
  );
});

Deno.test("VideoTransform tells ffmpeg's words where a crop does not fit", async () => {
  const crop = { x: 0, y: 0, width: 100, height: 100 };
  await rejects(
    through(new VideoTransform({ crop }), pictures()),
    /on chunk 0: .*Invalid too big or non positive size for width '100'/,
  );
});

Deno.test("VideoResizer gives the bytes of ffmpeg's scale", async () => {
  const frames = pictures({ count: 2 });
  const outputs = await through(new VideoResizer({ height: 8, resampler: "lanczos" }), frames);
  const expected = await reference(frames, ["-vf", "scale=16:8:flags=lanczos", "-f", "rawvideo"]);
  deepEqual(bytesOf(outputs), expected);
});

/** The red, green and blue of a pixel of a black picture with something drawn on it. */
async function drawn(options: Partial<VideoOverlayOptions>, size = { width: 64, height: 32 }) {
  const opaque = greys([0, 0], size).map((frame) =>
    frame.with({ data: frame.data.map((level, index) => index % 4 === 3 ? 255 : level) })
  );
  const [frame] = await through(new VideoOverlay(options), opaque);
  return (x: number, y: number) => {
    const at = 4 * (y * size.width + x);
    return [...frame!.data.subarray(at, at + 3)];
  };
}

Deno.test("VideoOverlay draws boxes, filled and not", async () => {
  const at = await drawn({
    boxes: [
      { x: 2, y: 2, width: 10, height: 10, color: "#00ff00", thickness: "fill" },
      { x: 20, y: 2, width: 10, height: 10, color: "blue", thickness: 1 },
    ],
  });
  deepEqual([at(2, 2), at(7, 7), at(13, 7)], [[0, 255, 0], [0, 255, 0], [0, 0, 0]]);
  deepEqual([at(20, 2), at(25, 7)], [[0, 0, 255], [0, 0, 0]]);
});

Deno.test("VideoOverlay draws a PNG, resized and seen through", async () => {
  const white = greys([255], { width: 4, height: 4 });
  const png = await reference(white, ["-c:v", "png", "-f", "image2pipe"]);
  const data = png.toBase64();
  const at = await drawn({ image: { data, x: 8, y: 8, width: 16, height: 8, opacity: 0.5 } });
  deepEqual([at(7, 8), at(24, 8)], [[0, 0, 0], [0, 0, 0]]);
  for (const level of at(16, 12)) ok(Math.abs(level - 128) < 6, `${level} is no half white`);
});

Deno.test("VideoOverlay draws any text as it is, and nothing else", async () => {
  for (const text of ["Hello", 'it\'s 5:00, [ok]; 100% \\ "é"', "a':x=0:textfile=/etc/passwd"]) {
    const size = { width: 400, height: 60 };
    const at = await drawn({ texts: [{ text, x: 4, y: 30, size: 20, color: "white" }] }, size);
    const isLit = (rows: number[]) =>
      rows.some((y) => Array.from({ length: 400 }, (_, x) => at(x, y)[0]! > 128).includes(true));
    ok(isLit([35, 38, 41, 44]), text);
    equal(isLit([2, 8, 14, 20]), false, text);
  }
});

Deno.test("VideoOverlay refuses an image that is none, and leaves no file", async () => {
  const images = () =>
    Array.from(Deno.readDirSync("/tmp"), ({ name }) => name)
      .filter((name) => name.startsWith("remotemedia-image-")).sort();
  const before = images();
  const draw = (data: string) =>
    through(new VideoOverlay({ image: { data: btoa(data) } }), pictures());
  await rejects(draw("#!/bin/sh"), /no PNG, JPEG or WebP/);
  await rejects(draw("\x89PNG but not really"), /Cannot filter video/);
  deepEqual(images(), before);
});

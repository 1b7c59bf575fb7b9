import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { EncodedFrame, type VideoFrame } from "../../../core/mod.ts";
import { VideoDecoder, VideoEncoder } from "../../../nodes/video/mod.ts";
import { videoCodecNames } from "../../../nodes/video/_codec/codecs.ts";
import { through } from "../data/_through.ts";
import { pictures } from "./_pictures.ts";

/** What some Debian, and some distributor's ffmpeg, may lack. */
const { stdout } = await new Deno.Command("ffmpeg", { args: ["-hide_banner", "-encoders"] })
  .output();
const encoders = new TextDecoder().decode(stdout);
const names = { h264: "libx264", hevc: "libx265", vp8: "libvpx ", vp9: "libvpx-vp9" };
const needed: Record<string, string> = { ...names, av1: "libaom-av1", mjpeg: "mjpeg" };
const codecs = videoCodecNames.filter((codec) => {
  const isThere = encoders.includes(needed[codec]!);
  if (!isThere) console.log(`skipped: ${codec}, as this ffmpeg has no ${needed[codec]}`);
  return isThere;
});

function psnr(a: Uint8Array, b: Uint8Array): number {
  const sum = a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (sum / a.length));
}

Deno.test("VideoEncoder and VideoDecoder bring each codec's pictures back, with times and metadata, above 30 dB", async () => {
  for (const codec of codecs) {
    for (const latencyMode of ["realtime", "quality"] as const) {
      const frames = pictures({ count: 12, width: 64, height: 48 });
      const encoder = new VideoEncoder({ codec, latencyMode, quality: 90, keyFrameSeconds: 0.2 });
      const packets = await through(encoder, frames) as EncodedFrame[];
      deepEqual(packets.map(({ timestamp }) => timestamp), frames.map((frame) => frame.timestamp));
      deepEqual(packets.map(({ duration }) => duration), frames.map((frame) => frame.duration));
      deepEqual(packets.map(({ metadata }) => metadata), frames.map((frame) => frame.metadata));
      ok(packets.every((packet) => packet.codec === codec));
      const isKey = (index: number) => packets[index]!.type === "key";
      ok(isKey(0) && (codec === "av1" || isKey(6)), `${codec} ${packets.map(({ type }) => type)}`);
      ok(codec === "mjpeg" || packets.some(({ type }) => type === "delta"), codec);
      const seen = await through(new VideoDecoder(), packets) as VideoFrame[];
      deepEqual(seen.map(({ timestamp }) => timestamp), frames.map((frame) => frame.timestamp));
      deepEqual(seen.map(({ metadata }) => metadata), frames.map((frame) => frame.metadata));
      for (const [index, { data }] of seen.entries()) {
        const ratio = psnr(data, frames[index]!.data);
        ok(ratio > 30, `${codec} ${latencyMode}: picture ${index} has ${ratio} dB`);
      }
    }
  }
});

Deno.test("VideoEncoder and VideoDecoder give each picture without waiting for the next", async () => {
  for (const codec of codecs) {
    const encoder = new VideoEncoder({ codec });
    const decoder = new VideoDecoder();
    const [encoded, decoded] = [encoder.readable.getReader(), decoder.readable.getReader()];
    const [toEncode, toDecode] = [encoder.writable.getWriter(), decoder.writable.getWriter()];
    for (const frame of pictures({ count: 4, width: 64, height: 48 })) {
      void toEncode.write(frame);
      // the next is written only once this came
      const { value } = await soon(encoded.read(), `${codec}'s encoder`);
      void toDecode.write(value!);
      const seen = await soon(decoded.read(), `${codec}'s decoder`);
      equal(seen.value!.timestamp, frame.timestamp);
    }
    await Promise.all([toEncode.close(), toDecode.close(), encoded.read(), decoded.read()]);
  }
});

async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} waits for more`)), 20_000);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

Deno.test("VideoDecoder begins at any key frame of VideoEncoder, and refuses to begin elsewhere", async () => {
  for (const codec of codecs.filter((codec) => codec !== "mjpeg" && codec !== "av1")) {
    const frames = pictures({ count: 10, width: 64, height: 48 });
    const packets = await through(
      new VideoEncoder({ codec, keyFrameSeconds: 0.2 }),
      frames,
    ) as EncodedFrame[];
    const key = packets.findLastIndex(({ type }) => type === "key");
    ok(key > 0);
    const seen = await through(new VideoDecoder(), packets.slice(key)) as VideoFrame[];
    equal(seen.length, packets.length - key);
    await rejects(through(new VideoDecoder(), packets.slice(key - 1)), /first one must be a key/);
  }
});

Deno.test("VideoDecoder decodes what other programs made, with pictures encoded from later ones", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/b.mkv`;
    const source = "testsrc2=size=96x64:rate=25:duration=1";
    const made = await new Deno.Command("ffmpeg", {
      args: [
        ...["-loglevel", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"],
        ...["-c:v", "libx264", "-bf", "3", "-g", "12", path],
      ],
    }).output();
    ok(made.success);
    const probed = await new Deno.Command("ffprobe", {
      args: [
        ...["-loglevel", "error", "-show_entries", "packet=pts_time,flags,size"],
        ...["-of", "json", path],
      ],
    }).output();
    const { packets } = JSON.parse(new TextDecoder().decode(probed.stdout)) as {
      packets: { pts_time: string; flags: string; size: string }[];
    };
    const annexB = await new Deno.Command("ffmpeg", {
      args: ["-loglevel", "error", "-i", path, "-c", "copy", "-f", "h264", "pipe:1"],
    }).output();
    const units = accessUnits(annexB.stdout);
    equal(units.length, packets.length);
    const stream = units.map((data, index) =>
      new EncodedFrame({
        data,
        codec: "h264",
        type: packets[index]!.flags.startsWith("K") ? "key" : "delta",
        timestamp: Math.round(Number(packets[index]!.pts_time) * 1e6),
      })
    );
    ok(
      stream.some(({ timestamp }, index) => index > 0 && timestamp < stream[index - 1]!.timestamp),
    );
    const seen = await through(new VideoDecoder(), stream) as VideoFrame[];
    deepEqual(
      seen.map(({ timestamp }) => timestamp),
      Array.from({ length: 25 }, (_, i) => i * 40_000),
    );
    const bare = await new Deno.Command("ffmpeg", {
      args: ["-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"],
    }).output();
    const bytes = new Uint8Array(
      await new Blob(seen.map(({ data }) => data.slice())).arrayBuffer(),
    );
    ok(bytes.length === bare.stdout.length && bytes.every((byte, i) => byte === bare.stdout[i]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Cuts Annex B at the first slice of each picture, parameter sets before it included. */
function accessUnits(bytes: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  let [begun, hasSlice] = [0, true];
  for (let at = 0; at + 4 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    const type = bytes[at + 3]! & 31;
    const start = at > 0 && bytes[at - 1] === 0 ? at - 1 : at;
    const isSlice = type === 1 || type === 5;
    const isFirstSlice = isSlice && (bytes[at + 4]! & 128) !== 0;
    if (hasSlice && (!isSlice || isFirstSlice)) {
      begun = start;
      hasSlice = false;
    }
    if (isFirstSlice) {
      starts.push(begun);
      hasSlice = true;
    }
  }
  return starts.map((start, index) => bytes.slice(start, starts[index + 1]));
}

Deno.test("VideoEncoder begins anew with a key frame when size, format or time jump, and after an interrupt", async () => {
  const small = pictures({ count: 3, width: 32, height: 16 });
  const large = pictures({ count: 3, width: 64, height: 32 });
  const packets = await through(new VideoEncoder(), [
    ...small,
    ...large,
    ...small,
  ]) as EncodedFrame[];
  deepEqual(packets.map(({ type }) => type), Array(3).fill(["key", "delta", "delta"]).flat());
  const seen = await through(new VideoDecoder(), packets.slice(0, 3)) as VideoFrame[];
  deepEqual(seen.map(({ codedWidth }) => codedWidth), [32, 32, 32]);
});

Deno.test("VideoEncoder holds a bitrate within a factor of 2", async () => {
  const frames = pictures({ count: 50, width: 320, height: 240 });
  const sizes = await Promise.all([100_000, 1_000_000].map(async (bitrate) => {
    const packets = await through(new VideoEncoder({ bitrate }), frames) as EncodedFrame[];
    return packets.reduce((sum, { data }) => sum + data.length, 0) * 8 / 2;
  }));
  ok(sizes[0]! < 200_000, `${sizes[0]} bit/s where 100000 were asked`);
  ok(sizes[1]! > sizes[0]!);
});

Deno.test("VideoEncoder and VideoDecoder say in one sentence what they cannot take", async () => {
  await rejects(
    through(new VideoEncoder(), pictures({ count: 1, width: 31, height: 16 })),
    /VideoEncoder.*width and height must be even.*31x16/,
  );
  const packet = (init: object) =>
    new EncodedFrame({ data: new Uint8Array([1, 2, 3]), codec: "h264", ...init });
  await rejects(through(new VideoDecoder(), [packet({ codec: "opus" })]), /must be one of h264/);
  await rejects(through(new VideoDecoder(), [packet({ data: new Uint8Array() })]), /hold a byte/);
  await rejects(through(new VideoDecoder(), [packet({})]), (error: Error) => {
    match(error.message, /Cannot decode video in VideoDecoder/);
    return true;
  });
});

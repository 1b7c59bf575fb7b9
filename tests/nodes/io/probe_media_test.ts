import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { probeMedia, readMedia } from "../../../nodes/io/mod.ts";
import { ffmpeg, inFolder, inPieces, speech } from "./_media.ts";

Deno.test("probeMedia tells what a WAV is without a program, as ffprobe does", async () => {
  const { streams: [stream], audio, ...info } = await probeMedia(speech, { ffprobe: "/nowhere" });
  equal(audio, stream);
  deepEqual(info, {
    format: "wav",
    duration: 20.89,
    startTime: 0,
    size: 668_524,
    bitrate: 256_000,
    tags: {},
  });
  const { codec, sampleRate, numberOfChannels, duration } = audio!;
  deepEqual([codec, sampleRate, numberOfChannels, duration], ["pcm_s16le", 16_000, 1, 20.89]);
  const cut = (await Deno.readFile(speech)).slice(0, 44 + 16_000);
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/cut.wav`, cut);
    equal((await probeMedia(`${folder}/cut.wav`)).duration, 0.5);
  });
});

Deno.test("probeMedia tells streams, sizes, rates, rotation and tags", async () => {
  await inFolder(async (folder) => {
    const rate = "rate=30000/1001:duration=2";
    const picture = ["-f", "lavfi", "-i", `color=red:size=32x36:${rate},pad=64:36:color=blue`];
    const codecs = ["-c:v", "mpeg4", "-c:a", "aac", "-ac", "2", "-metadata", "title=Walk"];
    await ffmpeg(...picture, "-t", "2", "-i", speech, ...codecs, `${folder}/straight.mp4`);
    const turned = ["-c", "copy", "-metadata:s:v", "rotate=90", `${folder}/turned.mp4`];
    await ffmpeg("-i", `${folder}/straight.mp4`, ...turned);
    for (const input of [`${folder}/turned.mp4`, await Deno.readFile(`${folder}/turned.mp4`)]) {
      const info = await probeMedia(input);
      match(info.format, /mp4/);
      ok(Math.abs(info.duration! - 2) < 0.1);
      equal(info.tags.title, "Walk");
      const { audio, video } = info;
      deepEqual([audio!.codec, audio!.sampleRate, audio!.numberOfChannels], ["aac", 16_000, 2]);
      deepEqual([video!.codec, video!.codedWidth, video!.codedHeight], ["mpeg4", 64, 36]);
      ok(Math.abs(video!.frameRate! - 29.97) < 0.01);
      // the left half is red: turned clockwise it is at the top
      const [frame] = await Array.fromAsync(
        readMedia(input, { audio: false, video: { format: "RGBA" } }),
      );
      deepEqual([frame!.codedWidth, frame!.codedHeight], [36, 64]);
      const isRedAtTop = frame!.data[0]! > 128;
      equal(video!.rotation, isRedAtTop ? 90 : 270);
      equal(info.streams.length, 2);
    }
  });
});

Deno.test("probeMedia reads only the front of a stream, and cancels the rest", async () => {
  await inFolder(async (folder) => {
    await ffmpeg("-stream_loop", "50", "-i", speech, "-c:a", "pcm_alaw", `${folder}/long.mka`);
    const bytes = await Deno.readFile(`${folder}/long.mka`);
    let [given, reason]: [number, unknown] = [0, undefined];
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(bytes.slice(given, given += 10_000));
        if (given >= bytes.length) controller.close();
      },
      cancel() {
        reason = "cancelled";
      },
    });
    equal((await probeMedia(stream)).audio?.codec, "pcm_alaw");
    equal(reason, "cancelled");
    ok(given < bytes.length);
  });
});

Deno.test("probeMedia leaves a cover picture out of what is read as video", async () => {
  await inFolder(async (folder) => {
    const cover = ["-f", "lavfi", "-i", "color=red:size=64x64:duration=0.04:rate=25"];
    const args = ["-map", "0", "-map", "1", "-c:v", "png", "-disposition:v", "attached_pic"];
    await ffmpeg("-t", "1", "-i", speech, ...cover, ...args, `${folder}/song.mp3`);
    const { audio, video, streams } = await probeMedia(`${folder}/song.mp3`);
    equal(audio?.codec, "mp3");
    equal(video, undefined);
    equal(streams.length, 2);
  });
});

Deno.test("probeMedia says in one sentence why it cannot", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/text.mp4`, "no film\n".repeat(100));
    await ffmpeg("-t", "1", "-i", speech, `${folder}/a.mp3`);
    const cases: [Parameters<typeof probeMedia>, RegExp][] = [
      [[`${folder}/none.mp3`], /^Cannot probe media from ".+none\.mp3" as there is no such file$/],
      [[folder], /as it is a directory$/],
      [[inPieces(new Uint8Array(0), 1)], /from a stream as it is empty$/],
      [[`${folder}/text.mp4`], /as it is cut off, or no MP4 at all: /],
      [
        [`${folder}/a.mp3`, { ffprobe: "/nowhere/ffprobe" }],
        /was not found: install it with .+FFPROBE_PATH/,
      ],
    ];
    for (const [args, message] of cases) {
      await rejects(probeMedia(...args), (error: Error) => {
        match(error.message, message);
        return error.name === "MediaError";
      });
    }
    const fault = new Error("enough");
    const signal = AbortSignal.abort(fault);
    await rejects(probeMedia(speech, { signal }), (error) => error === fault);
  });
});

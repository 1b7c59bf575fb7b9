/** mp3 to 16 kHz mono frames against ffmpeg alone, doing the same through a pipe and into nothing. */
import { readMedia } from "../nodes/io/mod.ts";
import { compare, type Contender } from "./_compare.ts";

const speech = new URL("../tests/testdata/conversation.wav", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "remotemedia-bench-" });
const mp3 = `${folder}/speech.mp3`;

/** 59 times 20.89 s: 20 minutes. */
const encode = ["-loglevel", "error", "-stream_loop", "58", "-i", speech, mp3];
await new Deno.Command("ffmpeg", { args: encode }).output();

const decode = [
  "-loglevel",
  "error",
  "-nostdin",
  "-i",
  mp3,
  "-ar",
  "16000",
  "-ac",
  "1",
  "-f",
  "f32le",
];
const SECONDS = 59 * 20.89;

function ffmpegAlone(name: string, target: "piped" | "null"): Contender {
  return {
    name,
    async run() {
      const args = [...decode, ...(target === "piped" ? ["-"] : ["-y", "/dev/null"])];
      const child = new Deno.Command("ffmpeg", { args, stdin: "null", stdout: target }).spawn();
      if (target === "piped") await child.stdout.pipeTo(new WritableStream());
      await child.status;
      return SECONDS;
    },
  };
}

const frames: Contender = {
  name: "readMedia, frames of 20 ms",
  async run() {
    let samples = 0;
    for await (const frame of readMedia(mp3, { sampleRate: 16_000, channels: 1 })) {
      samples += frame.numberOfFrames;
    }
    return samples / 16_000;
  },
};

try {
  const unit = "seconds of audio";
  await compare(ffmpegAlone("ffmpeg alone, through a pipe", "piped"), frames, {
    atLeast: 0.8,
    unit,
  });
  await compare(ffmpegAlone("ffmpeg alone, into /dev/null", "null"), frames, {
    atLeast: 0.5,
    unit,
  });
} finally {
  await Deno.remove(folder, { recursive: true });
}

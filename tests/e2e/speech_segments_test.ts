import { deepEqual, equal, ok } from "node:assert/strict";
import {
  type AudioFrame,
  Pipeline,
  readMedia,
  RemoteExecutor,
  type SpeechSegment,
  VoiceActivityDetector,
} from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";

const root = new URL("../../", import.meta.url).pathname;
const { sileroSegmentsSeconds: { v6: reference } } = JSON.parse(
  await Deno.readTextFile(`${root}tests/testdata/conversation.json`),
);

async function segmentsOf(
  file: string,
  { frameMs, executor }: { frameMs: number; executor?: RemoteExecutor },
): Promise<SpeechSegment[]> {
  const pipeline = new Pipeline([new VoiceActivityDetector({}, { executor })]);
  return await Array.fromAsync(
    pipeline.run(readMedia(file, { frameMs }) as ReadableStream<AudioFrame>),
  );
}

Deno.test("Silero's segments are within 0.1 s of the reference whatever the file, rate, channels and frames, and the same there as here", async () => {
  const folder = await Deno.makeTempDir({ prefix: "segments_" });
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
  try {
    const files: [name: string, args: string[]][] = [
      ["16k.wav", []],
      ["8k.wav", ["-ar", "8000"]],
      ["44k_stereo.wav", ["-ar", "44100", "-ac", "2"]],
      ["48k_stereo.mp3", ["-ar", "48000", "-ac", "2"]],
      ["44k.ogg", ["-ar", "44100"]],
      ["48k_stereo.mp4", ["-ar", "48000", "-ac", "2"]],
      ["16k.mp3", []],
    ];
    for (const [name, args] of files) {
      const file = `${folder}/${name}`;
      const { success, stderr } = await new Deno.Command("ffmpeg", {
        args: ["-v", "error", "-i", `${root}tests/testdata/conversation.wav`, ...args, file],
        stderr: "piped",
      }).output();
      ok(success, new TextDecoder().decode(stderr));
      for (const frameMs of name === "16k.wav" ? [10, 20, 37, 1000, 21_000] : [20, 37]) {
        const here = await segmentsOf(file, { frameMs });
        equal(here.length, reference.length, name);
        for (const [index, { start, end }] of here.entries()) {
          const [wantedStart, wantedEnd] = reference[index];
          const told = `${name} in ${frameMs} ms: ${start / 1e6} to ${end / 1e6}`;
          ok(
            Math.abs(start / 1e6 - wantedStart) < 0.1 && Math.abs(end / 1e6 - wantedEnd) < 0.1,
            told,
          );
        }
        deepEqual(await segmentsOf(file, { frameMs, executor }), here);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

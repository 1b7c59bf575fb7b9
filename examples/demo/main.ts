/**
 * The demo: finds the speech in a recording with a detector that runs on a server, started here on a free
 * port; measures each stretch here; and leaves a table, a JSON file, a WAV for each stretch and a picture.
 *
 * `deno task demo [FILE]`
 */
import {
  assertRuntime,
  AudioTransform,
  Pipeline,
  readMedia,
  RemoteExecutor,
  VoiceActivityDetector,
  writeMedia,
} from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";
import { Envelope } from "./envelope.ts";
import { Progress } from "./progress.ts";
import { SpeechMeter } from "./speech_meter.ts";
import type { SpeechSegment } from "./speech_segment.ts";
import { segmentTable } from "./segment_table.ts";
import { timelineSvg } from "./timeline_svg.ts";

const OUT = "out/demo";

async function main(file: string | undefined): Promise<void> {
  assertRuntime();
  const input = file ?? new URL("../../tests/testdata/conversation.wav", import.meta.url).pathname;
  const started = performance.now();
  await using server = await serve({ port: 0, userCode: false }); // only built-in nodes
  await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });

  const envelope = new Envelope();
  const detector = new VoiceActivityDetector({ emit: "speech" }, { executor });
  const pipeline = new Pipeline([
    new AudioTransform({ sampleRate: 16_000, channels: 1 }),
    envelope,
    detector,
    new SpeechMeter(),
  ]);
  const progress = new Progress(() => envelope.seconds);
  const segments: SpeechSegment[] = [];
  let folderIsNew = true;
  try {
    for await (const { start, end, loudness, frames } of pipeline.run(readMedia(input))) {
      if (folderIsNew) await makeFolder();
      folderIsNew = false;
      const path = `${OUT}/segment_${String(segments.length + 1).padStart(2, "0")}.wav`;
      await ReadableStream.from(frames).pipeTo(writeMedia(path));
      segments.push({
        start: round(start / 1e6),
        end: round(end / 1e6),
        duration: round((end - start) / 1e6),
        loudness: Number(loudness.toFixed(2)),
        file: path,
      });
    }
  } finally {
    progress.stop();
  }
  if (folderIsNew) await makeFolder();
  const name = input.split("/").at(-1)!;
  await Deno.writeTextFile(`${OUT}/segments.json`, JSON.stringify(segments, null, 2) + "\n");
  const { peaks, seconds } = envelope;
  await Deno.writeTextFile(
    `${OUT}/timeline.svg`,
    timelineSvg({ title: `Speech in ${name}`, seconds, peaks, segments }),
  );
  report({
    name,
    seconds,
    segments,
    elapsed: (performance.now() - started) / 1000,
    port: server.port,
  });
}

/** An empty folder for the results: what an earlier run left there is removed. */
async function makeFolder(): Promise<void> {
  await Deno.remove(OUT, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(OUT, { recursive: true });
}

interface Report {
  name: string;
  seconds: number;
  segments: readonly SpeechSegment[];
  elapsed: number;
  port: number;
}

function report({ name, seconds, segments, elapsed, port }: Report): void {
  console.log(segments.length === 0 ? `No speech in ${name}.` : segmentTable(segments));
  const spoken = segments.reduce((sum, { duration }) => sum + duration, 0);
  console.log(
    `\nRead ${seconds.toFixed(1)} s of ${name}, found ${spoken.toFixed(1)} s of speech in` +
      ` ${elapsed.toFixed(1)} s (${(seconds / elapsed).toFixed(0)} x real time).` +
      `\nThe detector ran on a server at 127.0.0.1:${port} over gRPC, the rest here.` +
      `\n\nWrote ${OUT}/segments.json, ${OUT}/timeline.svg` +
      (segments.length === 0 ? "." : ` and ${segments.length} WAV files.`) +
      "\nNext: deno task demo YOUR_FILE, or read examples/02_remote_node.ts.",
  );
}

function round(seconds: number): number {
  return Number(seconds.toFixed(3));
}

if (import.meta.main) {
  try {
    await main(Deno.args[0]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

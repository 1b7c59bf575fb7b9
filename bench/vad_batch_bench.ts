/**
 * `VoiceActivityDetector` for 64 streams at once, with batches and without, in turns. What counts is the CPU time
 * of the whole process, so how many streams a core serves: a run of the network has one thread on both sides.
 */
import process from "node:process";
import { type AudioFrame, Pipeline } from "../core/mod.ts";
import { loadSilero, Silero } from "../nodes/ml/_silero.ts";
import { type SpeechSegment, VoiceActivityDetector } from "../nodes/mod.ts";
import { cut, joinSamples, speech } from "../testing/frames.ts";
import { median } from "./_compare.ts";

const STREAMS = 64;
const SECONDS = 6;
const TURNS = 5;
const AT_LEAST = 2;

/** Each stream hears another part of the speech. */
const samples = joinSamples(await speech());
const streams = Array.from({ length: STREAMS }, (_, index) => {
  const start = index * 2357 % (samples.length - SECONDS * 16_000);
  return cut(samples.slice(start, start + SECONDS * 16_000), { frameSize: 512 });
});

async function cpuSecondsOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function sourceOf(frames: AudioFrame[]): ReadableStream<AudioFrame> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < frames.length) controller.enqueue(frames[next++]!);
      else controller.close();
    },
  });
}

/** The segments of each stream, all streams at once. */
function detect(maxBatch: number): Promise<SpeechSegment[][]> {
  return Promise.all(streams.map((frames) => {
    const pipeline = new Pipeline([new VoiceActivityDetector({ maxBatch })]);
    return Array.fromAsync(pipeline.run(sourceOf(frames)));
  }));
}

/** The network alone: windows of all streams in one run, or each in its own. */
async function bare(together: boolean): Promise<void> {
  const model = await loadSilero();
  const all = Array.from({ length: STREAMS }, () => new Silero(model));
  for (let window = 0; window < SECONDS * 31; window++) {
    for (const [index, silero] of all.entries()) silero.window.set(streams[index]![window]!.data);
    if (together) await Silero.runTogether(all);
    else for (const silero of all) await silero.run();
  }
}

await detect(1); // warm
await detect(STREAMS);
const times: Record<"bareAlone" | "bareTogether" | "alone" | "together", number[]> = {
  bareAlone: [],
  bareTogether: [],
  alone: [],
  together: [],
};
let [expected, actual] = ["", ""];
for (let turn = 0; turn < TURNS; turn++) {
  times.alone.push(await cpuSecondsOf(async () => expected = JSON.stringify(await detect(1))));
  times.together.push(
    await cpuSecondsOf(async () => actual = JSON.stringify(await detect(STREAMS))),
  );
  times.bareAlone.push(await cpuSecondsOf(() => bare(false)));
  times.bareTogether.push(await cpuSecondsOf(() => bare(true)));
}
if (actual !== expected) throw new Error("the segments differ");

const ratioOf = (one: keyof typeof times, other: keyof typeof times) =>
  median(times[one].map((time, turn) => time / times[other][turn]!));
const served = (key: keyof typeof times) =>
  Math.round(STREAMS * SECONDS / median(times[key])).toString().padStart(6);
const ratio = ratioOf("alone", "together");
console.log(
  `  the network alone, each window on its own     ${served("bareAlone")} streams a core`,
);
console.log(
  `  the network alone, 64 windows in a run        ${served("bareTogether")} streams a core, ` +
    `ratio ${ratioOf("bareAlone", "bareTogether").toFixed(2)}`,
);
console.log(`  64 VoiceActivityDetectors, maxBatch 1         ${served("alone")} streams a core`);
console.log(`  64 VoiceActivityDetectors, maxBatch 64        ${served("together")} streams a core`);
const verdict = ratio >= AT_LEAST ? "ok" : "BELOW";
console.log(
  `  ratio ${ratio.toFixed(2)}, wanted at least ${AT_LEAST}, same segments: ${verdict}`,
);
if (ratio < AT_LEAST) Deno.exitCode = 1;

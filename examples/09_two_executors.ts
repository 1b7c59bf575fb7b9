/**
 * 09: one stream, two servers. One looks for speech, the other measures the level, at the same time; what they find
 * comes back as one stream in order of time, and is joined here.
 */
import {
  type AudioFrame,
  AudioLevelMeter,
  Graph,
  readMedia,
  RemoteExecutor,
  VoiceActivityDetector,
} from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";
import { type Moment, Moments } from "./nodes/moments.ts";
import { lanesSvg, type Span } from "./pictures/lanes_svg.ts";

await using first = await serve({ port: 0, userCode: false }); // elsewhere: deno task serve
await using second = await serve({ port: 0, userCode: false });
await using ears = new RemoteExecutor({ host: "127.0.0.1", port: first.port });
await using meter = new RemoteExecutor({ host: "127.0.0.1", port: second.port });

const graph = new Graph<AudioFrame, Moment>({
  nodes: {
    speech: new VoiceActivityDetector({ emit: "annotate" }, { executor: ears }),
    level: new AudioLevelMeter({ intervalMs: 100, truePeak: false }, { executor: meter }),
    moments: new Moments(), // here
  },
  connections: [{ from: "speech", to: "moments" }, { from: "level", to: "moments" }],
  merge: { moments: { order: "timestamp" } },
});

const file = Deno.args[0] ?? new URL("../tests/testdata/conversation.wav", import.meta.url);
const out = "out/09_two_executors";
const sound = readMedia(file, { sampleRate: 16_000, channels: 1, frameMs: 100 });
const moments = await Array.fromAsync(graph.run(sound));

const mean = (speech: boolean) => {
  const powers = moments.filter((each) => each.speech === speech).map(({ db }) => 10 ** (db / 10));
  return 10 * Math.log10(powers.reduce((sum, power) => sum + power, 0) / powers.length);
};
console.log(`speech ${mean(true).toFixed(1)} dBFS, pauses ${mean(false).toFixed(1)} dBFS`);
const [heard, measured] = graph.stats();
console.log(`port ${first.port}: ${heard!.in} frames heard`);
console.log(`port ${second.port}: ${measured!.in} frames measured`);

const spans: Span[] = [];
for (const [index, { timestamp, speech }] of moments.entries()) {
  const start = timestamp / 1e6;
  if (speech && !moments[index - 1]?.speech) spans.push({ start, end: start, label: "speech" });
  if (speech) spans.at(-1)!.end = start + 0.1;
}
await Deno.mkdir(out, { recursive: true });
await Deno.writeTextFile(
  `${out}/moments.svg`,
  lanesSvg({
    title: "One stream, two servers",
    note: "merged by timestamp",
    seconds: moments.length / 10,
    lanes: [
      { name: "server 1", spans },
      { name: "server 2", peaks: moments.map(({ db }) => Math.max(0, (db + 70) / 70)) },
    ],
  }),
);
console.log(`Wrote ${out}/moments.svg`);

/**
 * 08: live speech. Tells who begins and ends to speak while it happens, and how late it is told.
 *
 * `deno run -A examples/08_live_speech.ts [microphone | rtmp://… | udp://… | broadcast] [SECONDS]`
 *
 * `broadcast` needs no microphone: ffmpeg sends a recording in real time as RTMP, on this machine.
 */
import { Pipeline, readMedia, TurnDetector, VoiceActivityDetector } from "@remotemedia/sdk";
import { Envelope } from "./demo/envelope.ts";
import { broadcast, hasMicrophone, microphone } from "./live/sources.ts";
import { StreamClock } from "./live/stream_clock.ts";
import { lanesSvg, type Span } from "./pictures/lanes_svg.ts";

const [input = hasMicrophone() ? "microphone" : "broadcast", seconds = "10"] = Deno.args;
const out = "out/08_live_speech";
const recording = new URL("../tests/testdata/conversation.wav", import.meta.url).pathname;

await using sender = input === "broadcast"
  ? await broadcast(recording, Number(seconds))
  : input === "microphone"
  ? microphone()
  : { media: input, async [Symbol.asyncDispose]() {} };
console.log(`Listening to ${input} for ${seconds} s`);

const clock = new StreamClock(); // when a sample was sound, by the clock on the wall
const envelope = new Envelope(); // for the picture
const pipeline = new Pipeline([
  clock,
  envelope,
  new VoiceActivityDetector({ emit: "annotate", minSpeechMs: 100 }),
  new TurnDetector({ silenceMs: 500 }),
]);
const format = { sampleRate: 16_000, channels: 1, duration: Number(seconds) };
const spans: Span[] = [];
for await (const { type, timestamp } of pipeline.run(readMedia(sender.media, format))) {
  const at = timestamp / 1e6;
  const late = `${Math.round(clock.since(timestamp))} ms`;
  console.log(
    `${at.toFixed(2)} s  speech ${type === "turn-start" ? "begins" : "ends"}, told ${late} later`,
  );
  if (type === "turn-start") spans.push({ start: at, end: at, label: `told ${late} later` });
  else spans.at(-1)!.end = at;
}

await Deno.mkdir(out, { recursive: true });
await Deno.writeTextFile(
  `${out}/live.svg`,
  lanesSvg({
    title: "Speech, told while it is heard",
    note: input,
    seconds: envelope.seconds,
    lanes: [{ name: "heard", peaks: envelope.peaks, spans }],
  }),
);
console.log(`Wrote ${out}/live.svg`);

/**
 * 06: speech to subtitles. Cuts a recording into sentences, lets a recognizer hear each, and writes .srt, .vtt and a
 * picture. Needs pocketsphinx (Debian: pocketsphinx, pocketsphinx-en-us).
 */
import { Pipeline, readMedia, SpeechSegmenter } from "@remotemedia/sdk";
import { Envelope } from "./demo/envelope.ts";
import { type Caption, Captions, subtitleFile } from "./nodes/captions.ts";
import { Recognizer } from "./nodes/recognizer.ts";
import { lanesSvg } from "./pictures/lanes_svg.ts";

const file = Deno.args[0] ?? new URL("../tests/testdata/conversation.wav", import.meta.url);
const out = "out/06_subtitles";

const envelope = new Envelope(); // for the picture
const pipeline = new Pipeline([
  envelope,
  new SpeechSegmenter({ engine: "silero", hangOverMs: 300 }),
  new Recognizer({}, { concurrency: 2 }), // two sentences at once, in their order
  new Captions(),
]);

const captions: Caption[] = [];
for await (const caption of pipeline.run(readMedia(file, { sampleRate: 16_000, channels: 1 }))) {
  captions.push(caption);
  console.log(`${(caption.start / 1e6).toFixed(2)} s  ${caption.text}`);
}

await Deno.mkdir(out, { recursive: true });
await Deno.writeTextFile(`${out}/subtitles.srt`, subtitleFile(captions, "srt"));
await Deno.writeTextFile(`${out}/subtitles.vtt`, subtitleFile(captions, "vtt"));
const spans = captions.map(({ start, end, text }) => ({
  start: start / 1e6,
  end: end / 1e6,
  label: text,
}));
await Deno.writeTextFile(
  `${out}/subtitles.svg`,
  lanesSvg({
    title: "Subtitles",
    note: `${captions.length} lines`,
    seconds: envelope.seconds,
    lanes: [{ name: "heard", peaks: envelope.peaks, spans }],
  }),
);
console.log(`Wrote ${out}/subtitles.srt, subtitles.vtt and subtitles.svg`);

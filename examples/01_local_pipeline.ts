/** 01: a pipeline that runs here. Finds the speech in a recording and prints where it is. */
import { Pipeline, readMedia, VoiceActivityDetector } from "@remotemedia/sdk";

const file = Deno.args[0] ?? new URL("../tests/testdata/conversation.wav", import.meta.url);
const audio = readMedia(file, { sampleRate: 16_000, channels: 1 });
const pipeline = new Pipeline([new VoiceActivityDetector()]);

for await (const { start, end } of pipeline.run(audio)) {
  console.log(`${(start / 1e6).toFixed(2)} s to ${(end / 1e6).toFixed(2)} s`);
}

/**
 * `SpeechToText` with a trained Whisper (tiny.en) on the recording of the tests, the word error rate printed. The model
 * is made by `tests/testdata/models/whisper.py` of a PyPI package of 70 MB, so it needs python3 with onnx and numpy;
 * `WHISPER_MODELS` names a folder to keep it in.
 */
import { ok } from "node:assert/strict";
import { type AudioFrame, Pipeline } from "../../core/mod.ts";
import {
  SpeechSegmenter,
  SpeechToText,
  type Transcript,
  VoiceActivityDetector,
} from "../../nodes/mod.ts";
import { speech } from "../../testing/mod.ts";

const data = new URL("../testdata/", import.meta.url);
const { transcripts } = JSON.parse(await Deno.readTextFile(new URL("conversation.json", data)));
const expected = wordsOf(transcripts.join(" "));

function wordsOf(text: string): string[] {
  const plain = text.toLowerCase().replace(/mr\./g, "mister").replace(/[^a-z']+/g, " ");
  return plain.trim().split(" ");
}

/** Levenshtein's distance of the words, by the number of those that were said. */
function errorRate(heard: readonly string[]): number {
  let row = heard.map((_, index) => index + 1);
  for (const [line, word] of expected.entries()) {
    let [left, diagonal] = [line + 1, line];
    row = row.map((above, index) => {
      left = Math.min(above + 1, left + 1, diagonal + (word === heard[index] ? 0 : 1));
      diagonal = above;
      return left;
    });
  }
  return (row.at(-1) ?? expected.length) / expected.length;
}

async function whisperFolder(): Promise<string | undefined> {
  const folder = Deno.env.get("WHISPER_MODELS") ?? await Deno.makeTempDir();
  try {
    await Deno.stat(`${folder}/real/whisper-tiny.en/config.json`);
    return folder;
  } catch {
    const script = new URL("models/whisper.py", data).pathname;
    const { success } = await new Deno.Command("python3", { args: [script, folder] }).output()
      .catch(() => ({ success: false }));
    if (success) return folder;
    console.log("skipped: whisper.py needs python3 with onnx and numpy, and PyPI");
  }
}

const modelFolder = await whisperFolder();
const whisper = { model: "real/whisper-tiny.en", modelFolder, offline: true };
const lines: Record<string, (frames: AudioFrame[]) => ReadableStream<Transcript>> = {
  "windows of 9 s": (frames) =>
    new Pipeline([new SpeechToText({ ...whisper, stepMs: 3000, windowMs: 9000 })]).run(frames),
  "windows of 25 s": (frames) =>
    new Pipeline([new SpeechToText({ ...whisper, stepMs: 5000, windowMs: 25_000 })]).run(frames),
  "utterances": (frames) =>
    new Pipeline([
      new VoiceActivityDetector({ emit: "annotate" }),
      new SpeechSegmenter({}),
      new SpeechToText({ ...whisper, mode: "utterances" }),
    ]).run(frames),
};

for (const [name, hear] of Object.entries(lines)) {
  Deno.test({
    name: `SpeechToText with Whisper tiny.en, ${name}, is wrong in at most 15 words of 100`,
    ignore: modelFolder === undefined,
    async fn() {
      const heard = await Array.fromAsync(hear(await speech()));
      const text = heard.map(({ text }) => text).join(" ");
      const rate = errorRate(wordsOf(text));
      console.log(`${name}: word error rate ${rate.toFixed(3)}: ${text}`);
      ok(rate <= 0.15, `${rate}`);
    },
  });
}

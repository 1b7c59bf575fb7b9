import assert from "node:assert/strict";
import { agreedLength, type HeardWord, overlapEnd } from "../../../nodes/ml/_hypotheses.ts";
import { TranscriptStitcher } from "../../../nodes/ml/_transcript_stitcher.ts";

const words = (text: string): HeardWord[] =>
  (text.match(/\S+/g) ?? []).map((word) => ({ text: word }));
const text = (heard: readonly HeardWord[]) => heard.map(({ text }) => text).join(" ");

Deno.test("agreedLength counts the words in common from the start, whatever their case and signs", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["and so", "", 0],
    ["And so, my", "and so my fellow", 3],
    ["and so my fellow", "and so my", 3],
    ["and saw my", "and so my", 1],
  ];
  for (const [one, other, count] of cases) {
    assert.equal(agreedLength(words(one), words(other)), count);
  }
});

Deno.test("overlapEnd finds the longest run of words nearest to where it is expected", () => {
  const find = (said: string, heard: string, expected: number, slack = 3) =>
    overlapEnd(words(said), words(heard), { expected, slack });
  assert.equal(find("ask not what your country", "what your country can do", 3), 3);
  assert.equal(find("the cat and the", "the dog and the cat and the end", 7), 7);
  assert.equal(find("the", "so the dog and the cat", 2), 2);
  assert.equal(find("the", "so the dog and the cat", 5), 5);
  assert.equal(find("the", "one two three four five the", 1), 0);
  assert.equal(find("entirely other", "words are here", 2), 0);
});

/** Hypotheses for a window that grows; the last one is final. */
function stitch(hypotheses: readonly string[]): { finals: string[]; all: string } {
  const stitcher = new TranscriptStitcher();
  const finals = hypotheses.map((hypothesis, index) =>
    text(
      index === hypotheses.length - 1
        ? stitcher.finish(words(hypothesis))
        : stitcher.push(words(hypothesis)),
    )
  );
  return { finals, all: finals.filter((each) => each !== "").join(" ") };
}

Deno.test("TranscriptStitcher makes final what two hypotheses in a row agree on", () => {
  const { finals, all } = stitch([
    "And so",
    "And so my fellow",
    "and so, my fellow Americans ask",
    "And so my fellow Americans, ask not what",
    "And so my fellow Americans, ask not what you",
  ]);
  assert.deepEqual(finals, ["", "And so", "my fellow", "Americans, ask", "not what you"]);
  assert.equal(all, "And so my fellow Americans, ask not what you");
});

Deno.test("TranscriptStitcher stands a hypothesis that corrects what was final, and says nothing twice", () => {
  const { all } = stitch([
    "Their is a",
    "Their is a house",
    "There is a house in",
    "There is a house in New Orleans",
    "There is a house in New Orleans they",
  ]);
  assert.equal(all, "Their is a house in New Orleans they");
});

Deno.test("TranscriptStitcher finds final words again after a window was moved by force, without times", () => {
  const stitcher = new TranscriptStitcher();
  const all: HeardWord[] = [];
  all.push(...stitcher.push(words("ask not what your country can")));
  all.push(...stitcher.advance(words("ask not what your country can do for yo"), 0.3));
  assert.equal(text(all), "ask not what your country can do");
  assert.equal(text(stitcher.pending), "for yo");
  all.push(...stitcher.push(words("an do for you ask what")));
  all.push(...stitcher.push(words("do for you ask what you can")));
  all.push(...stitcher.finish(words("do for you, ask what you can do for your country")));
  assert.equal(
    text(all),
    "ask not what your country can do for you ask what you can do for your country",
  );
});

Deno.test("TranscriptStitcher drops what is left of a word that a border cut in half", () => {
  const stitcher = new TranscriptStitcher();
  const all = stitcher.advance(words("we choose to go to the moon in"), 0.5);
  assert.equal(text(all), "we choose to go to the");
  all.push(...stitcher.finish(words("oh to the moon in this decade")));
  assert.equal(text(all), "we choose to go to the moon in this decade");
});

Deno.test("TranscriptStitcher finds final words by their times where there are any", () => {
  const timed = (text: string, from = 0): HeardWord[] =>
    words(text).map((word, index) => ({
      ...word,
      start: (from + index) * 300_000,
      end: (from + index + 1) * 300_000 - 20_000,
    }));
  const stitcher = new TranscriptStitcher();
  const all: HeardWord[] = [];
  all.push(...stitcher.push(timed("the the the cat")));
  all.push(...stitcher.push(timed("the the the cat sat")));
  assert.equal(text(all), "the the the cat");
  stitcher.moveToLast();
  // the next window begins in the last word, so that it comes again
  all.push(...stitcher.push(timed("cat sat on", 3)));
  all.push(...stitcher.finish(timed("cat sat on the the mat", 3)));
  assert.equal(text(all), "the the the cat sat on the the mat");
});

Deno.test("TranscriptStitcher neither loses nor repeats words, however windows grow and move", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = () => (state = (state * 48_271 + 11) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 200; round++) {
    const said = Array.from({ length: 60 }, (_, index) => `w${index}`);
    const stitcher = new TranscriptStitcher();
    const all: HeardWord[] = [];
    let [start, end] = [0, 0];
    while (end < said.length) {
      end = Math.min(said.length, end + 1 + Math.floor(random() * 4));
      const hypothesis = said.slice(start, end);
      if (start > 0 && random() < 0.5) hypothesis[0] = "half"; // the first may be cut
      if (random() < 0.3) hypothesis[hypothesis.length - 1] += "x"; // the last word is often wrong
      const isFull = end - start > 12;
      if (!isFull) {
        all.push(...stitcher.push(words(hypothesis.join(" "))));
        continue;
      }
      all.push(...stitcher.advance(words(hypothesis.join(" ")), 4 / (end - start)));
      start = end - 4;
    }
    all.push(...stitcher.finish(words(said.slice(start).join(" "))));
    const heard = all.map(({ text }) => text.replace("x", ""));
    assert.deepEqual(heard, said, `seed ${seed}, round ${round}`);
  }
});

const recorded: {
  growing: string[];
  moving: { from: number; to: number; text: string }[];
} = JSON.parse(
  await Deno.readTextFile(
    new URL("../../testdata/models/whisper_hypotheses.json", import.meta.url),
  ),
);
const plain = (text: string) => text.toLowerCase().match(/[a-z]+/g)!.join(" ");

Deno.test("TranscriptStitcher makes of what a real Whisper gave for a growing window its last hypothesis, word for word", () => {
  const { finals, all } = stitch(recorded.growing);
  assert.equal(plain(all), plain(recorded.growing.at(-1)!));
  assert.ok(finals.slice(0, -1).some((final) => final !== ""), "nothing was final before the end");
});

Deno.test("TranscriptStitcher repeats and loses no word of what a real Whisper gave for windows that moved on", () => {
  const stitcher = new TranscriptStitcher();
  const all: HeardWord[] = [];
  for (const [index, { from, to, text }] of recorded.moving.entries()) {
    const isLast = index === recorded.moving.length - 1;
    const heard = words(text);
    all.push(...isLast ? stitcher.finish(heard) : stitcher.push(heard));
    if (to - from === 9) all.push(...stitcher.advance(heard, 1 / 9));
  }
  assert.equal(plain(text(all)), plain(recorded.growing.at(-1)!));
});

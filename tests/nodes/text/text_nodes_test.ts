import { deepEqual, equal, rejects } from "node:assert/strict";
import { AudioFrame, type Node, NodeError, Pipeline } from "../../../core/mod.ts";
import {
  SentenceAggregator,
  textOperations,
  TextProcessor,
  TextTransform,
} from "../../../nodes/text/mod.ts";

function through<I, O>(node: Node<I, O, object, never>, chunks: unknown[]): Promise<O[]> {
  return Array.fromAsync(ReadableStream.from(chunks as I[]).pipeThrough(node));
}

Deno.test("TextProcessor gives the original's demo values", async () => {
  const [result] = await through(new TextProcessor(), [{
    text: "hello world foo",
    operations: textOperations,
  }]);
  deepEqual(result, {
    text: "hello world foo",
    results: {
      uppercase: "HELLO WORLD FOO",
      lowercase: "hello world foo",
      title_case: "Hello World Foo",
      reverse: "oof dlrow olleh",
      word_count: 3,
      char_count: 15,
      remove_spaces: "helloworldfoo",
      first_word: "hello",
      last_word: "foo",
    },
  });
});

Deno.test("TextProcessor counts and reverses what a reader takes for characters", async () => {
  const node = new TextProcessor({ operations: ["reverse", "char_count"] });
  const results = (await through(node, ["a👩‍👩‍👧b", "e\u0301x", "🇩🇪🇫🇷", "नमस्ते", ""]))
    .map(({ results }) => [results.reverse, results.char_count]);
  deepEqual(results.slice(0, 3), [["b👩‍👩‍👧a", 3], ["xe\u0301", 2], ["🇫🇷🇩🇪", 2]]);
  deepEqual(results[3]![1], 3);
  deepEqual(results[4], ["", 0]);
});

Deno.test("TextProcessor finds words where no spaces are, and none where none are", async () => {
  const node = new TextProcessor({
    operations: ["word_count", "first_word", "last_word"],
    locale: "zh",
  });
  const found = await through(node, ["你好，世界", " … ", "they're—here"]);
  deepEqual(found.map(({ results }) => Object.values(results)), [
    [2, "你好", "世界"],
    [0, "", ""],
    [2, "they're", "here"],
  ]);
});

Deno.test("TextProcessor writes titles by the rules of the language", async () => {
  const titles = async (locale: string, ...texts: string[]) =>
    (await through(new TextProcessor({ operations: ["title_case"], locale }), texts))
      .map(({ results }) => results.title_case);
  deepEqual(await titles("en", "they're HERE", "ßa ﬁre", "ǆep", "e\u0301a"), [
    "They're Here",
    "Ssa Fire",
    "ǅep",
    "E\u0301a",
  ]);
  deepEqual(await titles("tr", "istanbul ILI"), ["İstanbul Ilı"]);
});

Deno.test("TextProcessor names both kinds when a chunk is no text", async () => {
  const frame = new AudioFrame({ data: new Float32Array(4), sampleRate: 8000 });
  await rejects(through(new TextProcessor(), ["a", frame]), (error) => {
    return error instanceof NodeError && error.cause instanceof TypeError &&
      error.message ===
        'Node "TextProcessor" failed on chunk 1: TextProcessor takes a text, or an object with a text: it was given an audio frame';
  });
  const unknown = { text: "a", operations: ["shout"] };
  await rejects(through(new TextProcessor(), [unknown]), /no operation "shout": there are upperc/);
  await rejects(through(new TextProcessor(), [null]), /it was given null/);
});

Deno.test("TextTransform applies its steps in order", async () => {
  const node = new TextTransform({
    normalize: "NFC",
    replace: [
      { find: "$1.", with: "$&!", ignoreCase: true },
      { find: "(\\p{L})\\1+", with: "$1", regex: true },
    ],
    collapseSpaces: true,
    trim: true,
    case: "upper",
    maxLength: 5,
    prefix: "<",
    suffix: ">",
    dropEmpty: true,
  });
  deepEqual(await through(node, [" $1. ", "  e\u0301e\u0301  bb ", "👩‍👩‍👧a\u3000\tc defg", "  "]), [
    "<$&!>",
    "<É B>",
    "<👩‍👩‍👧A C >",
  ]);
});

Deno.test("SentenceAggregator gives the same sentences however the text is cut", async () => {
  const text =
    'Dr. A. Smith paid $3.14 on Jan. 5th. "Really?" he asked! 你好。再见。 What a day…\n\nThe end';
  const whole = await through(new SentenceAggregator(), [text]);
  for (const size of [1, 2, 3, 7, 20]) {
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    deepEqual(await through(new SentenceAggregator(), pieces), whole, `pieces of ${size}`);
  }
  equal(whole[0], "Dr. A. Smith paid $3.14 on Jan. 5th.");
  deepEqual(whole.slice(-4), ["你好。", "再见。", "What a day…", "The end"]);
});

Deno.test("SentenceAggregator gives a sentence as soon as the next has begun", async () => {
  const node = new SentenceAggregator();
  const pipeline = new Pipeline([node]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  const first = reader.read();
  for (const token of ["One", ".", " Two"]) await writer.write(token);
  deepEqual(await first, { done: false, value: "One." });
  const rest = reader.read();
  await writer.close();
  deepEqual(await rest, { done: false, value: "Two" });
  await reader.cancel();
});

Deno.test("SentenceAggregator keeps back at most maxLength, and cuts between words and characters", async () => {
  const words = await through(new SentenceAggregator({ maxLength: 16 }), [
    "one two three four five six",
  ]);
  equal(words.join(" "), "one two three four five six");
  const emoji = await through(new SentenceAggregator({ maxLength: 17 }), ["😀".repeat(40)]);
  equal(emoji.join(""), "😀".repeat(40));
  deepEqual(emoji.filter((part) => part.length > 17 || /^[\uDC00-\uDFFF]/.test(part)), []);
});

Deno.test("SentenceAggregator joins sentences shorter than minLength", async () => {
  const node = new SentenceAggregator({ minLength: 8 });
  deepEqual(await through(node, ["Yes. No. Certainly not. Hm."]), [
    "Yes. No.",
    "Certainly not.",
    "Hm.",
  ]);
});

Deno.test("SentenceAggregator forgets the sentence that an interrupt cuts", async () => {
  const pipeline = new Pipeline([new SentenceAggregator()]);
  const output = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  await writer.write("This was begun");
  await pipeline.interrupt();
  await writer.write("This is new.");
  await writer.close();
  deepEqual(await output, ["This is new."]);
});

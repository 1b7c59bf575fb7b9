import { z } from "zod";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { localeOption } from "./_locale.ts";

/** Ends of English sentences that are none. */
const englishAbbreviations = [
  ...["Mr.", "Mrs.", "Ms.", "Mx.", "Dr.", "Prof.", "Rev.", "Hon.", "Gen.", "Col.", "Capt.", "Lt."],
  ...["Sgt.", "St.", "Jr.", "Sr.", "vs.", "e.g.", "i.e.", "cf.", "Vol.", "Fig.", "approx."],
];

const schema = z.strictObject({
  locale: localeOption,
  abbreviations: z.array(z.string().min(1)).default(englishAbbreviations)
    .describe("Words with a full stop that does not end a sentence"),
  minLength: z.int().min(0).default(0)
    .describe("A sentence shorter than this, in UTF-16 units, waits to be joined with the next"),
  maxLength: z.int().min(16).max(1_000_000).default(2000)
    .describe("The most UTF-16 units that are kept back: then text is given up to its last word"),
});

/** Options of {@linkcode SentenceAggregator}. */
export interface SentenceAggregatorOptions {
  /** Language whose rules hold, as BCP 47 tag. @default "en" */
  locale: string;
  /** Words with a full stop that does not end a sentence. @default common English ones */
  abbreviations: string[];
  /** A sentence shorter than this, in UTF-16 units, waits to be joined with the next. @default 0 */
  minLength: number;
  /** The most UTF-16 units that are kept back: then text is given up to its last word. @default 2000 */
  maxLength: number;
}

/**
 * Joins text that comes in pieces, as a language model's tokens do, into whole sentences, without the
 * white space around them. A sentence is given as soon as text after it has begun, for only then is its
 * end sure (`3.` may become `3.14`); what is left is given at the end of the stream.
 *
 * Sentences end by the rules of Unicode Standard Annex 29 for the language; an abbreviation or a single
 * initial (`J. S. Bach`) does not end one. It keeps at most `maxLength` units. Throws a `TypeError` on a
 * chunk that is not a text. An interrupt forgets the sentence that is begun.
 *
 * @example
 * ```ts
 * import { SentenceAggregator } from "@remotemedia/sdk/nodes";
 *
 * const tokens = ReadableStream.from(["Dr", ". Who", " is in. Is", " he", "?"]);
 * const sentences = tokens.pipeThrough(new SentenceAggregator());
 * console.log(await Array.fromAsync(sentences)); // ["Dr. Who is in.", "Is he?"]
 * ```
 */
export class SentenceAggregator extends Node<string, string, SentenceAggregatorOptions> {
  /** The name of the type. */
  static override readonly type = "SentenceAggregator";
  /** Checks the options. */
  static override readonly options: z.ZodType<SentenceAggregatorOptions> = schema;

  /** What it takes and gives, checked before anything runs. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["text"] }, gives: { kinds: ["text"] } };
  }

  readonly #sentences = new Intl.Segmenter(this.options.locale, { granularity: "sentence" });
  readonly #words = new Intl.Segmenter(this.options.locale, { granularity: "word" });
  readonly #abbreviations = new Set(this.options.abbreviations.map((word) => word.toLowerCase()));
  #text = "";

  /** Gives the sentences that the piece completes. */
  *process(input: string): Generator<string> {
    if (typeof input !== "string") throw wrongInput(this.type, "text", input);
    const { maxLength } = this.options;
    // a huge piece is taken in parts, so that what is segmented at once stays bounded too
    for (let start = 0; start < input.length; start += maxLength) {
      this.#text += input.slice(start, start + maxLength);
      yield* this.#takeSentences(false);
      while (this.#text.length > maxLength) {
        const part = this.#takeWords(maxLength).trim();
        if (part !== "") yield part;
      }
    }
  }

  /** Gives what is left. */
  override *flush(): Generator<string> {
    yield* this.#takeSentences(true);
    const rest = this.#text.trim();
    this.#text = "";
    if (rest !== "") yield rest;
  }

  /** Forgets the sentence that is begun. */
  override onInterrupt(): void {
    this.#text = "";
  }

  /** The text that is kept back. */
  override snapshot(): string {
    return this.#text;
  }

  /** Goes on with the text that was kept back. */
  override restore(state: string): void {
    this.#text = state;
  }

  *#takeSentences(isFinal: boolean): Generator<string> {
    let [start, end] = [0, 0];
    const text = this.#text;
    for (const { index, segment } of this.#sentences.segment(text)) {
      end = index + segment.length;
      if (end === text.length) break; // the last one may go on
      const sentence = text.slice(start, end).trim();
      if (!isFinal && !isSure(sentence, text.slice(end))) continue;
      if (sentence.length < this.options.minLength || this.#goesOn(sentence)) continue;
      start = end;
      this.#text = text.slice(end);
      if (sentence !== "") yield sentence;
    }
  }

  #goesOn(sentence: string): boolean {
    const word = sentence.slice(sentence.search(/\S+$/u)).replace(/^[("'“‘«[]+/u, "");
    return this.#abbreviations.has(word.toLowerCase()) || /^\p{Lu}\.$/u.test(word);
  }

  /** Takes words up to `length` units; a word longer than that is cut. */
  #takeWords(length: number): string {
    let end = 0;
    for (const { index } of this.#words.segment(this.#text.slice(0, length + 1))) {
      if (index > 0) end = index;
    }
    // never between the halves of a surrogate pair
    if (end === 0) end = /[\uD800-\uDBFF]/.test(this.#text[length - 1]!) ? length - 1 : length;
    const part = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    return part;
  }
}

/**
 * Whether more text cannot join the sentence and what follows it: after a full stop, one in small letters
 * does (rule SB8), even behind figures and signs.
 */
function isSure(sentence: string, next: string): boolean {
  return !/\.[^\p{L}\p{N}]*$/u.test(sentence) || /[\p{L}\p{Sentence_Terminal}\n]/u.test(next);
}

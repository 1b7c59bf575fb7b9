import { z } from "zod";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { localeOption } from "./_locale.ts";
import { Segments } from "./_segments.ts";

const replacement = z.strictObject({
  find: z.string().min(1).describe("What to look for: this text, or a pattern if regex is set"),
  with: z.string().describe("What stands there instead; with regex, $1 is the first group"),
  regex: z.boolean().default(false)
    .describe("Whether find is a regular expression, matched everywhere, with Unicode rules"),
  ignoreCase: z.boolean().default(false).describe("Whether large and small letters are the same"),
}).refine(compiles, { message: "find must be a valid regular expression", path: ["find"] });

const schema = z.strictObject({
  normalize: z.enum(["NFC", "NFD", "NFKC", "NFKD"]).optional()
    .describe("Unicode normalization form that the text is brought to first"),
  replace: z.array(replacement).default([]).describe("Replacements, one after another"),
  collapseSpaces: z.boolean().default(false)
    .describe("Whether any run of white space becomes one space"),
  trim: z.boolean().default(false).describe("Whether white space at both ends is cut off"),
  case: z.enum(["upper", "lower", "title"]).optional().describe("What letters become"),
  maxLength: z.int().min(0).optional()
    .describe("The most characters that are left, as a reader counts them (graphemes)"),
  prefix: z.string().default("").describe("What is put in front"),
  suffix: z.string().default("").describe("What is put behind"),
  dropEmpty: z.boolean().default(false)
    .describe("Whether a text of which nothing is left is dropped"),
  locale: localeOption,
});

/** One replacement of {@linkcode TextTransform}. */
export interface TextReplacement {
  /** What to look for: this text, or a pattern if `regex` is set. */
  find: string;
  /** What stands there instead; with `regex`, `$1` is the first group. */
  with: string;
  /** Whether `find` is a regular expression, matched everywhere, with Unicode rules. @default false */
  regex?: boolean;
  /** Whether large and small letters are the same. @default false */
  ignoreCase?: boolean;
}

/** Options of {@linkcode TextTransform}, applied in this order. */
export interface TextTransformOptions {
  /** Unicode normalization form that the text is brought to first. @default none */
  normalize?: "NFC" | "NFD" | "NFKC" | "NFKD";
  /** Replacements, one after another. @default [] */
  replace: TextReplacement[];
  /** Whether any run of white space becomes one space. @default false */
  collapseSpaces: boolean;
  /** Whether white space at both ends is cut off. @default false */
  trim: boolean;
  /** What letters become. @default as they are */
  case?: "upper" | "lower" | "title";
  /** The most characters that are left, as a reader counts them (graphemes). @default all */
  maxLength?: number;
  /** What is put in front. @default "" */
  prefix: string;
  /** What is put behind. @default "" */
  suffix: string;
  /** Whether a text of which nothing is left, before prefix and suffix, is dropped. @default false */
  dropEmpty: boolean;
  /** Language whose rules hold for letters and words, as BCP 47 tag. @default "en" */
  locale: string;
}

/**
 * Rewrites each text: normalizes, replaces, cleans white space, changes case, cuts, adds. Steps run in the
 * order of {@linkcode TextTransformOptions}. Throws a `TypeError` on a chunk that is not a text.
 *
 * Regular expressions run without a time limit; a server should not take them from just anybody.
 *
 * @example
 * ```ts
 * import { TextTransform } from "@remotemedia/sdk/nodes";
 *
 * const node = new TextTransform({
 *   replace: [{ find: "\\[.*?\\]", with: "", regex: true }],
 *   collapseSpaces: true,
 *   trim: true,
 * });
 * const clean = ReadableStream.from(["Hello [noise]  there"]).pipeThrough(node);
 * console.log(await Array.fromAsync(clean)); // ["Hello there"]
 * ```
 */
export class TextTransform extends Node<string, string, TextTransformOptions> {
  /** The name of the type. */
  static override readonly type = "TextTransform";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<TextTransformOptions> = schema;

  /** What it takes and gives, checked before anything runs. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["text"] }, gives: { kinds: ["text"] } };
  }

  readonly #segments = new Segments(this.options.locale);
  readonly #replacements = this.options.replace.map((entry) => {
    const pattern = expressionOf(entry);
    // a plain text may hold a $, which would stand for a group
    return { pattern, by: entry.regex ? entry.with : entry.with.replaceAll("$", "$$$$") };
  });

  /** Gives the text rewritten; nothing if it is empty and `dropEmpty` is set. */
  process(input: string): string | undefined {
    if (typeof input !== "string") throw wrongInput(this.type, "text", input);
    const { normalize, collapseSpaces, trim, maxLength, prefix, suffix, dropEmpty } = this.options;
    let text = normalize === undefined ? input : input.normalize(normalize);
    for (const { pattern, by } of this.#replacements) text = text.replace(pattern, by);
    if (collapseSpaces) text = text.replaceAll(/\p{White_Space}+/gu, " ");
    if (trim) text = text.trim();
    text = this.#changeCase(text);
    if (maxLength !== undefined) text = this.#segments.truncate(text, maxLength);
    return dropEmpty && text === "" ? undefined : prefix + text + suffix;
  }

  #changeCase(text: string): string {
    const { case: form, locale } = this.options;
    if (form === "upper") return text.toLocaleUpperCase(locale);
    if (form === "lower") return text.toLocaleLowerCase(locale);
    return form === "title" ? this.#segments.titleCase(text) : text;
  }
}

function expressionOf({ find, regex, ignoreCase }: TextReplacement): RegExp {
  const source = regex ? find : find.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(source, ignoreCase ? "giu" : "gu");
}

function compiles(entry: TextReplacement): boolean {
  try {
    expressionOf(entry);
    return true;
  } catch {
    return false; // a SyntaxError says that it does not
  }
}

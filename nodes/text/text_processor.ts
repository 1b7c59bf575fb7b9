import { z } from "zod";
import { Node } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { localeOption } from "./_locale.ts";
import { Segments } from "./_segments.ts";

/** What {@linkcode TextProcessor} can do with a text. */
export const textOperations = [
  "uppercase",
  "lowercase",
  "title_case",
  "reverse",
  "word_count",
  "char_count",
  "remove_spaces",
  "first_word",
  "last_word",
] as const;

/** One of the operations of {@linkcode TextProcessor}. */
export type TextOperation = typeof textOperations[number];

const schema = z.strictObject({
  operations: z.array(z.enum(textOperations)).min(1).default(["uppercase"])
    .describe("What is done with a text that does not say so itself"),
  locale: localeOption,
});

/** Options of {@linkcode TextProcessor}. */
export interface TextProcessorOptions {
  /** What is done with a text that does not say so itself. @default ["uppercase"] */
  operations: TextOperation[];
  /** Language whose rules hold for letters and words, as BCP 47 tag. @default "en" */
  locale: string;
}

/** A text, and what is to be done with it. */
export interface TextRequest {
  /** The text. */
  text: string;
  /** What is to be done. @default the node's option */
  operations?: readonly TextOperation[];
}

/** A text, and what was found of it. */
export interface TextResult {
  /** The text as it came. */
  text: string;
  /** What each operation gave: a count or another text. */
  results: Partial<Record<TextOperation, string | number>>;
}

/**
 * Looks at a text in up to nine ways: `uppercase`, `lowercase`, `title_case`, `reverse`, `word_count`,
 * `char_count`, `remove_spaces`, `first_word`, `last_word`. Each works on the text as it came.
 *
 * Characters are graphemes and words are found by the rules of the language (Unicode Standard Annex 29),
 * so that an emoji of several code points counts as one character and stays whole when reversed.
 * Throws a `TypeError` on a chunk that is neither a text nor a request, and on an unknown operation.
 *
 * @example
 * ```ts
 * import { TextProcessor } from "@remotemedia/sdk/nodes";
 *
 * const node = new TextProcessor({ operations: ["title_case", "word_count"] });
 * const [result] = await Array.fromAsync(ReadableStream.from(["hello world"]).pipeThrough(node));
 * console.log(result!.results); // { title_case: "Hello World", word_count: 2 }
 * ```
 */
export class TextProcessor extends Node<string | TextRequest, TextResult, TextProcessorOptions> {
  /** The name of the type. */
  static override readonly type = "TextProcessor";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<TextProcessorOptions> = schema;
  readonly #segments = new Segments(this.options.locale);

  /** Gives the results of the operations, by name. */
  process(input: string | TextRequest): TextResult {
    const { text, operations = this.options.operations } = this.#request(input);
    const results: TextResult["results"] = {};
    for (const operation of operations) results[operation] = this.#apply(operation, text);
    return { text, results };
  }

  #request(input: unknown): TextRequest {
    if (typeof input === "string") return { text: input };
    const request = input as Partial<TextRequest> | null | undefined;
    if (typeof request?.text !== "string") {
      throw wrongInput(this.type, "a text, or an object with a text", input);
    }
    if (request.operations !== undefined && !Array.isArray(request.operations)) {
      throw wrongInput(this.type, "operations as a list", request.operations);
    }
    return request as TextRequest;
  }

  #apply(operation: TextOperation, text: string): string | number {
    const { locale } = this.options;
    switch (operation) {
      case "uppercase":
        return text.toLocaleUpperCase(locale);
      case "lowercase":
        return text.toLocaleLowerCase(locale);
      case "title_case":
        return this.#segments.titleCase(text);
      case "reverse":
        return this.#segments.graphemes(text).reverse().join("");
      case "word_count":
        return this.#segments.words(text).length;
      case "char_count":
        return this.#segments.length(text);
      case "remove_spaces":
        return text.replaceAll(/\p{White_Space}/gu, "");
      case "first_word":
        return this.#segments.words(text)[0] ?? "";
      case "last_word":
        return this.#segments.words(text).at(-1) ?? "";
      default:
        throw new TypeError(
          `TextProcessor has no operation "${operation}": there are ${textOperations.join(", ")}`,
        );
    }
  }
}

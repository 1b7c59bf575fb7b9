/** Letters that have a form of their own for titles, by their capital form. */
const titleForms: Readonly<Record<string, string>> = { "Ǆ": "ǅ", "Ǉ": "ǈ", "Ǌ": "ǋ", "Ǳ": "ǲ" };

/**
 * Text as people see it: graphemes instead of code units, words by the rules of the language
 * (Unicode Standard Annex 29).
 */
export class Segments {
  readonly #locale: string;
  readonly #graphemes: Intl.Segmenter;
  readonly #words: Intl.Segmenter;

  /** @param locale BCP 47 tag of the language */
  constructor(locale: string) {
    this.#locale = locale;
    this.#graphemes = new Intl.Segmenter(locale, { granularity: "grapheme" });
    this.#words = new Intl.Segmenter(locale, { granularity: "word" });
  }

  /** What a reader takes for one character each. */
  graphemes(text: string): string[] {
    return Array.from(this.#graphemes.segment(text), ({ segment }) => segment);
  }

  /** How many graphemes there are. */
  length(text: string): number {
    let count = 0;
    for (const _ of this.#graphemes.segment(text)) count++;
    return count;
  }

  /** The words, without what stands between them. */
  words(text: string): string[] {
    const words: string[] = [];
    for (const { segment, isWordLike } of this.#words.segment(text)) {
      if (isWordLike) words.push(segment);
    }
    return words;
  }

  /** The text with the first letter of each word large and all others small. */
  titleCase(text: string): string {
    let title = "";
    for (const { segment, isWordLike } of this.#words.segment(text)) {
      title += isWordLike ? this.#capitalize(segment) : segment;
    }
    return title;
  }

  /** At most `length` graphemes of the text, from its start. */
  truncate(text: string, length: number): string {
    if (text.length <= length) return text;
    let count = 0;
    for (const { index } of this.#graphemes.segment(text)) {
      if (count++ === length) return text.slice(0, index);
    }
    return text;
  }

  #capitalize(word: string): string {
    const [first = "", ...rest] = this.graphemes(word);
    // ß becomes SS and ﬁ becomes FI: in a title only the first of the two is large
    const [large = "", ...small] = first.toLocaleUpperCase(this.#locale);
    const initial = (titleForms[large] ?? large) + small.join("").toLocaleLowerCase(this.#locale);
    return initial + rest.join("").toLocaleLowerCase(this.#locale);
  }
}

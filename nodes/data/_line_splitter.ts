/** What a {@linkcode LineSplitter} keeps: the line that is begun, and bytes of a character that is. */
export interface LineState {
  text: string;
  bytes: Uint8Array;
}

/**
 * Cuts text, or UTF-8 bytes, that come in pieces into lines without their ends (`\n` or `\r\n`). Keeps one
 * line that is begun, of at most `maxLength` UTF-16 units. What is no UTF-8 becomes U+FFFD.
 */
export class LineSplitter {
  readonly #maxLength: number;
  #text = "";
  /** Up to three bytes of a character that is cut. */
  #bytes: Uint8Array = new Uint8Array(0);

  /** @param maxLength the longest line, in UTF-16 units */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** What is kept. */
  get state(): LineState {
    return { text: this.#text, bytes: this.#bytes.slice() };
  }

  /** Gives the lines that a piece ends. @throws {RangeError} if a line is too long */
  *push(piece: string | Uint8Array): Generator<string> {
    const text = typeof piece === "string" ? piece : this.#decode(piece);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = this.#append(text.slice(start, end));
      this.#text = "";
      start = end + 1;
      yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
    this.#text = this.#append(text.slice(start));
  }

  /** Gives the last line, if it has no end. */
  *end(): Generator<string> {
    const last = this.#append(new TextDecoder().decode(this.#bytes));
    this.reset();
    if (last !== "") yield last;
  }

  /** Forgets what is kept. */
  reset(): void {
    this.restore({ text: "", bytes: new Uint8Array(0) });
  }

  /** Goes on from what was kept. */
  restore({ text, bytes }: LineState): void {
    this.#text = text;
    this.#bytes = bytes;
  }

  #decode(piece: Uint8Array): string {
    let bytes = piece;
    if (this.#bytes.length > 0) {
      bytes = new Uint8Array(this.#bytes.length + piece.length);
      bytes.set(this.#bytes);
      bytes.set(piece, this.#bytes.length);
    }
    const whole = wholeLength(bytes);
    this.#bytes = bytes.slice(whole);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, whole));
  }

  #append(text: string): string {
    const length = this.#text.length + text.length;
    if (length <= this.#maxLength) return this.#text + text;
    throw new RangeError(`a line has more than the ${this.#maxLength} characters that it may have`);
  }
}

/** Up to where the bytes are whole characters, as far as their first bytes tell. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

import { z } from "zod";
import { messageOf, SerializationError } from "../../core/errors.ts";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node } from "../../core/node.ts";
import { type SampleFormat, sampleFormats } from "../io/wav/samples.ts";
import { kindOf } from "./_chunk_kind.ts";
import { LineSplitter } from "./_line_splitter.ts";
import { bytesOf, documentFormats, textOf } from "./formats/documents.ts";
import { decodeWav, encodeWav } from "./formats/wav.ts";

/** The formats that {@linkcode FormatConverter} reads and writes. */
export const dataFormats = [
  "value",
  "json",
  "ndjson",
  "csv",
  "yaml",
  "msgpack",
  "base64",
  "text",
  "wav",
] as const;

/** A format of {@linkcode FormatConverter}. */
export type DataFormat = typeof dataFormats[number];

const schema = z.strictObject({
  from: z.enum(dataFormats).default("value").describe("What chunks come as"),
  to: z.enum(dataFormats).default("json").describe("What chunks become"),
  delimiter: z.string().length(1).default(",").describe("What stands between the fields of CSV"),
  header: z.boolean().default(true)
    .describe("Whether the first row of CSV names its columns: rows are objects then, else arrays"),
  sampleFormat: z.enum(sampleFormats).default("s16").describe("How WAV is written"),
  maxBytes: z.int().min(1).default(16 * 2 ** 20)
    .describe("The longest document or line that is read, in bytes or UTF-16 units"),
});

/** Options of {@linkcode FormatConverter}. */
export interface FormatConverterOptions {
  /** What chunks come as. @default "value" */
  from: DataFormat;
  /** What chunks become. @default "json" */
  to: DataFormat;
  /** What stands between the fields of CSV. @default "," */
  delimiter: string;
  /** Whether the first row of CSV names its columns: rows are objects then, else arrays. @default true */
  header: boolean;
  /** How samples are stored in WAV. @default "s16" */
  sampleFormat: SampleFormat;
  /** The longest document or line that is read, in bytes or UTF-16 units. @default 16 MiB */
  maxBytes: number;
}

/**
 * Reads chunks in one format and writes them in another.
 *
 * | format | a chunk is | its value is |
 * |---|---|---|
 * | `value` | any value | the same |
 * | `json`, `yaml` | a document, as text (read from bytes too) | what it says |
 * | `ndjson` | a piece of text or bytes, cut anywhere; written: a line with its end | one for each line |
 * | `csv` | a table, as text | its rows; all fields are text |
 * | `msgpack` | a document, as bytes | what it says |
 * | `base64` | text | bytes |
 * | `text` | text, or bytes as UTF-8 | text |
 * | `wav` | a whole file, as bytes | an `AudioFrame` from time 0 |
 *
 * Throws a `SerializationError` that says in one sentence what cannot be read or written. Only `ndjson` keeps
 * something: the line that is begun, which an interrupt forgets.
 *
 * @example
 * ```ts
 * import { FormatConverter } from "@remotemedia/sdk/nodes";
 *
 * const node = new FormatConverter({ from: "csv", to: "json" });
 * const texts = ReadableStream.from(["name,age\nAda,36\n"]).pipeThrough(node);
 * console.log(await Array.fromAsync(texts)); // ['[{"name":"Ada","age":"36"}]']
 * ```
 */
export class FormatConverter extends Node<unknown, unknown, FormatConverterOptions> {
  /** The name of the type. */
  static override readonly type = "FormatConverter";
  /** Checks the options. */
  static override readonly options: z.ZodType<FormatConverterOptions> = schema;
  readonly #lines = new LineSplitter(this.options.maxBytes);

  /** Gives the chunk in the other format; of `ndjson`, a chunk for each line that is complete. */
  process(input: unknown): unknown {
    this.#checkLength(input);
    const { from } = this.options;
    if (from === "ndjson") return this.#readLines(() => this.#lines.push(linesOf(input)));
    if (from === "wav") return this.#readWav(input);
    return this.#write(
      this.#try("read", from, () => documentFormats[from].decode(input, this.options)),
    );
  }

  /** Reads the last line, if it has no end. */
  override flush(): Generator<unknown> | undefined {
    return this.options.from === "ndjson" ? this.#readLines(() => this.#lines.end()) : undefined;
  }

  /** Forgets the line that is begun. */
  override onInterrupt(): void {
    this.#lines.reset();
  }

  /** The line that is begun. */
  override snapshot(): unknown {
    return this.#lines.state;
  }

  /** Goes on with the line that was begun. */
  override restore(state: { text: string; bytes: Uint8Array }): void {
    this.#lines.restore(state);
  }

  *#readLines(cut: () => Generator<string>): Generator<unknown> {
    const lines = this.#try("read", "ndjson", () => cut());
    while (true) {
      const { done, value: line } = this.#try("read", "ndjson", () => lines.next());
      if (done) return;
      const text = line.trim(); // a byte order mark counts as white space too
      if (text === "") continue;
      yield this.#write(this.#try("read", "ndjson", () => JSON.parse(text)));
    }
  }

  async #readWav(input: unknown): Promise<unknown> {
    let frame: AudioFrame;
    try {
      frame = await decodeWav(bytesOf(input));
    } catch (cause) {
      throw fault("read", "wav", cause);
    }
    return this.#write(frame);
  }

  #write(value: unknown): unknown {
    const { to, sampleFormat } = this.options;
    return this.#try("write", to, () => {
      if (to === "ndjson") return `${documentFormats.json.encode(value)}\n`;
      if (to !== "wav") return documentFormats[to].encode(value, this.options);
      if (value instanceof AudioFrame) return encodeWav(value, sampleFormat);
      throw new TypeError(`it must be an audio frame: it is ${kindOf(value)}`);
    });
  }

  #try<T>(verb: "read" | "write", format: DataFormat, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw fault(verb, format, cause);
    }
  }

  #checkLength(input: unknown): void {
    const { from, maxBytes } = this.options;
    if (from === "value" || from === "ndjson") return;
    const { length } = input as { length?: number } ?? {};
    if (length === undefined || length <= maxBytes) return;
    throw new SerializationError(
      `Cannot read the chunk as ${from} as it is longer than maxBytes allows: ${length} > ${maxBytes}`,
    );
  }
}

function linesOf(input: unknown): string | Uint8Array {
  return input instanceof Uint8Array ? input : textOf(input);
}

/** One sentence of what may be a message of many lines. */
function fault(verb: "read" | "write", format: DataFormat, cause: unknown): SerializationError {
  const [reason = ""] = messageOf(cause).split("\n");
  const sentence = reason.replace(/:$/, "");
  return new SerializationError(`Cannot ${verb} the chunk as ${format} as ${sentence}`, { cause });
}

import { decode as decodeMsgpack, encode as encodeMsgpack } from "@msgpack/msgpack";
import { parse as parseCsv } from "csv-parse/sync";
import { stringify as stringifyCsv } from "csv-stringify/sync";
import { parse as parseYaml, stringify as stringifyYaml } from "yaml";
import { kindOf } from "../_chunk_kind.ts";

/** A way to write values: a whole document a chunk. What they throw says why it cannot be. */
export interface DocumentFormat {
  /** The value of a document. */
  decode(document: unknown, options: CsvOptions): unknown;
  /** The document of a value. */
  encode(value: unknown, options: CsvOptions): unknown;
}

/** How CSV is written. */
export interface CsvOptions {
  /** What stands between fields. */
  delimiter: string;
  /** Whether the first row has the names of the columns. */
  header: boolean;
}

/** Those formats that are a whole document a chunk, by name. */
export const documentFormats = {
  json: {
    decode: (document) => JSON.parse(textOf(document)),
    encode: (value) => written(JSON.stringify(plain(value)), value),
  },
  yaml: {
    decode: (document) => parseYaml(textOf(document)),
    encode: (value) => written(stringifyYaml(plain(value)), value),
  },
  csv: {
    decode: (document, { delimiter, header }) =>
      parseCsv(textOf(document), { columns: header, delimiter, bom: true, skip_empty_lines: true }),
    encode: (value, { delimiter, header }) =>
      stringifyCsv(rowsOf(value), {
        header,
        delimiter,
        cast: { boolean: String, date: (date) => date.toISOString() },
      }),
  },
  msgpack: {
    decode: (document) => decodeMsgpack(bytesOf(document)),
    encode: (value) => encodeMsgpack(plain(value)),
  },
  base64: {
    decode: (document) => Uint8Array.fromBase64(textOf(document)),
    encode: (value) => bytesOf(value).toBase64(),
  },
  text: {
    decode: (document) => textOf(document),
    encode: (value) => textOf(value),
  },
  value: {
    decode: (document) => document,
    encode: (value) => value,
  },
} as const satisfies Record<string, DocumentFormat>;

/** A text as it is, bytes as UTF-8. */
export function textOf(document: unknown): string {
  if (typeof document === "string") return document;
  if (document instanceof Uint8Array) {
    return new TextDecoder("utf-8", { fatal: true }).decode(document);
  }
  throw new TypeError(`it must be text or bytes: it is ${kindOf(document)}`);
}

/** Bytes as they are, a text as UTF-8. */
export function bytesOf(document: unknown): Uint8Array {
  if (document instanceof Uint8Array) return document;
  if (typeof document === "string") return new TextEncoder().encode(document);
  throw new TypeError(`it must be bytes or text: it is ${kindOf(document)}`);
}

/** The value, if it is no frame: samples and pixels are not written number by number. */
function plain(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "kind" in value && "data" in value) {
    if (ArrayBuffer.isView(value.data)) throw new TypeError(`${kindOf(value)} is no plain value`);
  }
  return value;
}

function written(text: string | undefined, value: unknown): string {
  if (text === undefined) throw new TypeError(`${kindOf(value)} cannot be written`);
  return text;
}

function rowsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null) return [plain(value)];
  throw new TypeError(`it must be a list of rows, or one row as an object: it is ${kindOf(value)}`);
}

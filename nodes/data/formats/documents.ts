import { decode as decodeMsgpack, encode as encodeMsgpack } from "@msgpack/msgpack";
import { parse as parseCsv } from "csv-parse/sync";
import { stringify as stringifyCsv } from "csv-stringify/sync";
import { parse as parseYaml, stringify as stringifyYaml } from "yaml";
import { kindOf } from "../_chunk_kind.ts";
import { checkCounts } from "./msgpack_counts.ts";

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
    decode: (document) => JSON.parse(textOf(document).replace(/^\uFEFF/, "")),
    encode: (value) => written(JSON.stringify(plain(value)), value),
  },
  yaml: {
    decode: (document) => parseYaml(textOf(document), { logLevel: "error" }),
    encode: (value) => written(stringifyYaml(plain(value)), value),
  },
  csv: {
    decode: (document, { delimiter, header }) =>
      parseCsv(textOf(document), {
        columns: header,
        delimiter,
        bom: true,
        skip_empty_lines: true,
        record_delimiter: ["\r\n", "\n", "\r"], // also side by side, as in files put together
      }),
    encode: (value, { delimiter, header }) => {
      const table = tableOf(rowsOf(value), header);
      return stringifyCsv(table, {
        delimiter,
        // a line with nothing in it would be no row
        quoted_empty: table.every(({ length }) => length < 2),
        cast: { boolean: String, date: (date) => date.toISOString() },
      });
    },
  },
  msgpack: {
    decode: (document) => {
      const bytes = bytesOf(document);
      checkCounts(bytes);
      return decodeMsgpack(bytes);
    },
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

/** Up to how many fields of a table may be empty for each that is not: it is bounded by what is in it. */
const MOST_EMPTY = 16;

/** The fields of rows, row by row, with the names of all columns above if there is a header. */
function tableOf(rows: readonly unknown[], header: boolean): unknown[][] {
  if (!header && rows.every(Array.isArray)) return rows as unknown[][];
  const names = new Set<string>();
  let count = 0;
  for (const [index, row] of rows.entries()) {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      const rule = header ? "an object, or header must be false" : "an object, as others are";
      throw new TypeError(`row ${index} must be ${rule}: it is ${kindOf(row)}`);
    }
    const keys = Object.keys(plain(row) as object);
    for (const name of keys) names.add(name);
    count += keys.length;
  }
  if (names.size * rows.length > MOST_EMPTY * count + 2 ** 20) {
    throw new RangeError(`its ${rows.length} rows have ${names.size} columns, nearly all empty`);
  }
  const fields = rows.map((row) =>
    Array.from(
      names,
      (name) => Object.hasOwn(row as object, name) ? (row as Record<string, unknown>)[name] : "",
    )
  );
  return header && rows.length > 0 ? [[...names], ...fields] : fields;
}

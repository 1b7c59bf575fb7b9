import { stringify } from "csv-stringify/sync";
import { extname } from "node:path";
import { ConfigurationError } from "../../core/errors.ts";
import { writeMedia } from "../../nodes/mod.ts";
import { cannotWrite, writeAll } from "../files.ts";
import { subtitle } from "./subtitles.ts";
import { toJson } from "./to_json.ts";

/** How a form of text begins, tells a chunk, and ends. */
interface TextForm {
  start?: string;
  chunk(chunk: unknown, index: number): string;
  end?(count: number): string;
}

const textForms: Record<string, () => TextForm> = {
  ".jsonl": () => ({ chunk: (chunk) => `${toJson(chunk)}\n` }),
  ".ndjson": () => ({ chunk: (chunk) => `${toJson(chunk)}\n` }),
  ".json": () => ({
    chunk: (chunk, index) => `${index === 0 ? "[\n" : ",\n"}${toJson(chunk)}`,
    end: (count) => count === 0 ? "[]\n" : "\n]\n",
  }),
  ".txt": () => ({ chunk: (chunk) => `${typeof chunk === "string" ? chunk : toJson(chunk)}\n` }),
  ".csv": csvForm,
  ".srt": () => ({ chunk: (chunk, index) => subtitle(chunk, index, "srt") }),
  ".vtt": () => ({ start: "WEBVTT\n\n", chunk: (chunk, index) => subtitle(chunk, index, "vtt") }),
};

/** Where chunks go: a file as its name's ending says, or lines of JSON on the standard output. */
export function openOutput(path: string | undefined): WritableStream<unknown> {
  if (toStandardOutput(path)) return standardOutput();
  const form = textForms[extname(path).toLowerCase()];
  if (form !== undefined) return textFile(path, form());
  if (extname(path) === "") {
    throw new ConfigurationError(
      `Cannot write ${path} as its ending must tell the format: ${
        Object.keys(textForms).join(", ")
      }, or one of media`,
    );
  }
  return writeMedia(path) as WritableStream<unknown>;
}

/** Whether an output is the standard output. */
export function toStandardOutput(path: string | undefined): path is undefined | "-" {
  return path === undefined || path === "-";
}

function standardOutput(): WritableStream<unknown> {
  const encoder = new TextEncoder();
  return new WritableStream({
    write: (chunk) => writeAll(Deno.stdout, encoder.encode(`${toJson(chunk)}\n`)),
  });
}

/** Has another name until it is complete, so that what has the name is. */
function textFile(
  path: string,
  { start = "", chunk: tell, end }: TextForm,
): WritableStream<unknown> {
  const encoder = new TextEncoder();
  const part = `${path}.part`;
  let file: Deno.FsFile;
  let count = 0;
  const remove = async () => {
    file.close();
    await Deno.remove(part);
  };
  const write = async (text: () => string) => {
    try {
      writeAll(file, encoder.encode(text()));
    } catch (error) {
      await remove(); // a sink that fails is not aborted
      throw error;
    }
  };
  return new WritableStream({
    async start() {
      try {
        file = await Deno.open(part, { write: true, create: true, truncate: true });
      } catch (cause) {
        throw cannotWrite(path, cause);
      }
      await write(() => start);
    },
    write: (chunk) => write(() => tell(chunk, count++)),
    async close() {
      await write(() => end?.(count) ?? "");
      file.close();
      try {
        await Deno.rename(part, path);
      } catch (cause) {
        await Deno.remove(part);
        throw cannotWrite(path, cause);
      }
    },
    abort: remove,
  });
}

/** The first chunk's fields are the columns. */
function csvForm(): TextForm {
  let columns: string[] | undefined;
  return {
    chunk(chunk) {
      const row = typeof chunk === "object" && chunk !== null && !Array.isArray(chunk)
        ? chunk as Record<string, unknown>
        : { value: chunk };
      const isFirst = columns === undefined;
      columns ??= Object.keys(row);
      const cells = columns.map((name) => {
        const cell = row[name];
        if (cell === null || cell === undefined) return "";
        return typeof cell === "string" ? cell : unquoted(toJson(cell));
      });
      return stringify(isFirst ? [columns, cells] : [cells]);
    },
  };
}

/** A text's own letters: what JSON tells of a date, a large number or bytes. */
function unquoted(json: string): string {
  return json.startsWith('"') ? JSON.parse(json) as string : json;
}

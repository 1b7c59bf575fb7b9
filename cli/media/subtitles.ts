import { ConfigurationError } from "../../core/errors.ts";
import { toJson } from "./to_json.ts";

/** A chunk with `start` and `end`, in µs, as a subtitle; its text is `text`, else what else it has. */
export function subtitle(chunk: unknown, index: number, form: "srt" | "vtt"): string {
  const { start, end, text, ...rest } = (typeof chunk === "object" ? chunk ?? {} : {}) as {
    start?: unknown;
    end?: unknown;
    text?: unknown;
  };
  if (!Number.isFinite(start) || !Number.isFinite(end)) {
    throw new ConfigurationError(
      `Cannot write subtitle ${index + 1} as it must have start and end in µs: it is ${
        toJson(chunk).slice(0, 60)
      }`,
    );
  }
  const words = typeof text === "string" ? text : toJson(rest);
  const mark = form === "srt" ? "," : ".";
  const lines = words.split(/\r\n|\r|\n/).filter((line) => line.trim() !== ""); // an empty one ends a cue
  const body = form === "vtt"
    ? lines.join("\n").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    : lines.join("\n").replaceAll("-->", "→");
  return `${index + 1}\n${clock(start as number, mark)} --> ${
    clock(end as number, mark)
  }\n${body}\n\n`;
}

/** `01:02:03,004` */
function clock(us: number, mark: string): string {
  const ms = Math.max(0, Math.round(us / 1000));
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  return `${part(ms / 3_600_000, 2)}:${part(ms / 60_000 % 60, 2)}:${
    part(ms / 1000 % 60, 2)
  }${mark}${part(ms % 1000, 3)}`;
}

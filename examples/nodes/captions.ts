import { Node } from "@remotemedia/sdk";
import type { Word } from "./recognizer.ts";

/** A line of text with its time. */
export interface Caption {
  /** When it appears, in µs. */
  start: number;
  /** When it goes, in µs. */
  end: number;
  /** What it says. */
  text: string;
}

/** Joins words to lines that one can read: none is longer than `maxLength`. */
export class Captions extends Node<Word[], Caption, { maxLength?: number }> {
  static override readonly module = import.meta.url;
  static override readonly stateless = true;

  *process(words: Word[]): Generator<Caption> {
    const { maxLength = 42 } = this.options;
    let line: Caption | undefined;
    for (const { text, start, end } of words) {
      if (line !== undefined && line.text.length + 1 + text.length <= maxLength) {
        line = { start: line.start, end, text: `${line.text} ${text}` };
      } else {
        if (line !== undefined) yield line;
        line = { start, end, text };
      }
    }
    if (line !== undefined) yield line;
  }
}

/** Captions as a file: SubRip, or WebVTT for browsers. */
export function subtitleFile(captions: readonly Caption[], form: "srt" | "vtt"): string {
  const mark = form === "srt" ? "," : ".";
  const clock = (us: number) => new Date(us / 1000).toISOString().slice(11, 23).replace(".", mark);
  const entries = captions.map(({ start, end, text }, index) =>
    `${index + 1}\n${clock(start)} --> ${clock(end)}\n${text}\n`
  );
  return (form === "vtt" ? "WEBVTT\n\n" : "") + entries.join("\n");
}

import type { SpeechSegment } from "./speech_segment.ts";

const headings = ["#", "start s", "end s", "length s", "dBFS"];

/** The segments as a table of text. */
export function segmentTable(segments: readonly SpeechSegment[]): string {
  const rows = segments.map(({ start, end, duration, loudness }, index) => [
    String(index + 1),
    start.toFixed(2),
    end.toFixed(2),
    duration.toFixed(2),
    loudness.toFixed(1),
  ]);
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  const draw = (line: readonly string[]) =>
    line.map((cell, column) => cell.padStart(widths[column]!)).join("   ");
  return [draw(headings), widths.map((width) => "─".repeat(width)).join("───"), ...rows.map(draw)]
    .join("\n");
}

/** What the picture shows. */
export interface Timeline {
  /** The line on top. */
  title: string;
  /** How long the sound is, in seconds. */
  seconds: number;
  /** The highest sample of each of as many stretches of the same length, 0 to 1. */
  peaks: readonly number[];
  /** The stretches to mark: seconds and dBFS. */
  segments: readonly { start: number; end: number; loudness: number }[];
}

const WIDTH = 1200;
const HEIGHT = 330;
const LEFT = 24;
const RIGHT = WIDTH - 24;
const MIDDLE = 172;
const TALLEST = 88;
const AXIS = 274;

const style = `
  svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  .paper { fill: #ffffff; } .title { fill: #16202c; font-size: 18px; font-weight: 600; }
  .note, .tick { fill: #5b6675; font-size: 12px; } .line { stroke: #c9d1da; stroke-width: 1; }
  .sound { stroke: #9aa7b5; stroke-width: 1; } .spoken { stroke: #0b67c2; stroke-width: 1; }
  .segment { fill: #0b67c2; fill-opacity: 0.11; stroke: #0b67c2; stroke-opacity: 0.5; }
  .label { fill: #0a4f95; font-size: 12px; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12171d; } .title { fill: #edf2f7; } .note, .tick { fill: #97a3b0; }
    .line { stroke: #37424e; } .sound { stroke: #5f6c79; } .spoken { stroke: #5cb0ff; }
    .segment { fill: #5cb0ff; fill-opacity: 0.14; stroke: #5cb0ff; } .label { fill: #a5d2ff; }
  }`;

/** Draws a waveform with stretches marked on it, for light and dark pages. */
export function timelineSvg({ title, seconds, peaks, segments }: Timeline): string {
  const x = (second: number) => LEFT + (RIGHT - LEFT) * second / Math.max(seconds, 1e-9);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="10"/>`,
    `<text class="title" x="${LEFT}" y="34">${escape(title)}</text>`,
    `<text class="note" x="${RIGHT}" y="34" text-anchor="end">${summary(seconds, segments)}</text>`,
    ...segments.map((segment, index) => marked(segment, index, x)),
    waveform(peaks, segments, { seconds, x }),
    ...ticks(seconds, x),
    "</svg>",
    "",
  ].join("\n");
}

function summary(seconds: number, segments: Timeline["segments"]): string {
  const spoken = segments.reduce((sum, { start, end }) => sum + end - start, 0);
  const count = segments.length === 1 ? "1 segment" : `${segments.length} segments`;
  return `${count}, ${spoken.toFixed(1)} s of speech in ${seconds.toFixed(1)} s`;
}

function marked(
  { start, end, loudness }: Timeline["segments"][number],
  index: number,
  x: (second: number) => number,
): string {
  const [left, width] = [x(start), x(end) - x(start)];
  const top = MIDDLE - TALLEST - 6;
  const box =
    `<rect class="segment" x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}"` +
    ` height="${2 * TALLEST + 12}" rx="4"/>`;
  const text = width > 92
    ? `${index + 1} · ${loudness.toFixed(1)} dBFS`
    : width > 14
    ? `${index + 1}`
    : "";
  return `${box}<text class="label" x="${(left + 6).toFixed(1)}" y="${top - 6}">${text}</text>`;
}

/** One stroke for each peak, in two paths: the sound, and over it what is marked. */
function waveform(
  peaks: readonly number[],
  segments: Timeline["segments"],
  { seconds, x }: { seconds: number; x: (second: number) => number },
): string {
  const loudest = Math.max(0.05, peaks.reduce((most, peak) => Math.max(most, peak), 0));
  const [sound, spoken] = [[] as string[], [] as string[]];
  for (const [index, peak] of peaks.entries()) {
    const second = (index + 0.5) * seconds / peaks.length;
    const half = Math.max(0.5, TALLEST * peak / loudest);
    const stroke = `M${x(second).toFixed(1)} ${(MIDDLE - half).toFixed(1)}V${
      (MIDDLE + half).toFixed(1)
    }`;
    const isSpoken = segments.some(({ start, end }) => start <= second && second <= end);
    (isSpoken ? spoken : sound).push(stroke);
  }
  return `<path class="sound" d="${sound.join("")}"/><path class="spoken" d="${spoken.join("")}"/>`;
}

function ticks(seconds: number, x: (second: number) => number): string[] {
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600]
    .find((candidate) => seconds / candidate <= 13) ?? 7200;
  const marks = [`<path class="line" d="M${LEFT} ${AXIS}H${RIGHT}"/>`];
  for (let second = 0; second <= seconds; second += step) {
    const at = x(second).toFixed(1);
    marks.push(
      `<path class="line" d="M${at} ${AXIS}v6"/>` +
        `<text class="tick" x="${at}" y="${AXIS + 22}" text-anchor="middle">${
          clock(second, step)
        }</text>`,
    );
  }
  return marks;
}

function clock(second: number, step: number): string {
  if (step < 1) return `${second.toFixed(1)} s`;
  if (second < 60) return `${Math.round(second)} s`;
  return `${Math.floor(second / 60)}:${String(Math.round(second % 60)).padStart(2, "0")}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

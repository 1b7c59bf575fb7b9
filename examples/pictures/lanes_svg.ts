/** A stretch of a lane, with what is written in it. */
export interface Span {
  /** Where it starts, in seconds. */
  start: number;
  /** Where it ends, in seconds. */
  end: number;
  /** What is written in it, as far as it fits. */
  label: string;
}

/** One of several things that happen at the same time. */
export interface Lane {
  /** What it is called. */
  name: string;
  /** Heights from 0 to 1, each of a stretch of the same length. */
  peaks?: readonly number[];
  /** Stretches to mark. */
  spans?: readonly Span[];
}

/** What the picture shows. */
export interface Lanes {
  /** The line on top. */
  title: string;
  /** What stands at its right. */
  note?: string;
  /** How long the time axis is, in seconds. */
  seconds: number;
  /** From top to bottom. */
  lanes: readonly Lane[];
  /** Moments, as lines through all lanes. */
  marks?: readonly { at: number; label: string }[];
}

const WIDTH = 1200;
const LEFT = 110;
const RIGHT = WIDTH - 24;
const TOP = 74;
const LANE = 118;
/** The upper part of a lane, for what is said. */
const WORDS = 50;
const LETTER = 7.6;

const style = `
  svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  .paper { fill: #ffffff; } .title { fill: #16202c; font-size: 18px; font-weight: 600; }
  .note, .tick { fill: #5b6675; font-size: 12px; } .name { fill: #16202c; font-size: 13px; }
  .line { stroke: #c9d1da; } .wave { stroke: #9aa7b5; }
  .span { fill: #0b67c2; fill-opacity: 0.11; stroke: #0b67c2; stroke-opacity: 0.5; }
  .label { fill: #0a4f95; font-size: 11.5px; font-weight: 600; }
  .mark { stroke: #c2410c; stroke-dasharray: 4 3; } .said { fill: #b03a0a; font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12171d; } .title, .name { fill: #edf2f7; } .note, .tick { fill: #97a3b0; }
    .line { stroke: #37424e; } .wave { stroke: #5f6c79; }
    .span { fill: #5cb0ff; fill-opacity: 0.14; stroke: #5cb0ff; } .label { fill: #a5d2ff; }
    .mark { stroke: #fb923c; } .said { fill: #fdba74; }
  }`;

/** Draws what happens in several lanes on one time axis, for light and dark pages. */
export function lanesSvg({ title, note = "", seconds, lanes, marks = [] }: Lanes): string {
  const x = (second: number) => LEFT + (RIGHT - LEFT) * second / Math.max(seconds, 1e-9);
  const axis = TOP + lanes.length * LANE + 4;
  const height = axis + 40;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="10"/>`,
    `<text class="title" x="24" y="34">${escape(title)}</text>`,
    `<text class="note" x="${RIGHT}" y="34" text-anchor="end">${escape(note)}</text>`,
    ...lanes.map((lane, index) => drawLane(lane, TOP + index * LANE, { seconds, x })),
    ...marks.map(({ at, label }) =>
      `<path class="mark" d="M${x(at).toFixed(1)} ${TOP - 8}V${axis}"/>` +
      `<text class="said" x="${x(at).toFixed(1)}" y="${TOP - 14}" text-anchor="middle">${
        escape(label)
      }</text>`
    ),
    ...ticks(seconds, axis, x),
    "</svg>",
    "",
  ].join("\n");
}

function drawLane(
  { name, peaks = [], spans = [] }: Lane,
  top: number,
  { seconds, x }: { seconds: number; x: (second: number) => number },
): string {
  const middle = top + (WORDS + LANE) / 2;
  const highest = Math.max(0.05, peaks.reduce((most, peak) => Math.max(most, peak), 0));
  const strokes = peaks.map((peak, index) => {
    const half = Math.max(0.5, 28 * peak / highest);
    const at = x((index + 0.5) * seconds / peaks.length).toFixed(1);
    return `M${at} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`;
  });
  return [
    `<text class="name" x="24" y="${middle + 4}">${escape(name)}</text>`,
    `<path class="wave" d="${strokes.join("")}"/>`,
    ...spans.map((span) => drawSpan(span, top, x)),
  ].join("\n");
}

function drawSpan(
  { start, end, label }: Span,
  top: number,
  x: (second: number) => number,
): string {
  const width = x(end) - x(start);
  const lines = wrap(label, Math.floor((width - 10) / LETTER)).slice(0, 3);
  const words = lines.map((line, index) =>
    `<text class="label" x="${(x(start) + 6).toFixed(1)}" y="${top + 18 + 14 * index}">${
      escape(line)
    }</text>`
  );
  return `<rect class="span" x="${x(start).toFixed(1)}" y="${top + 4}" width="${
    width.toFixed(1)
  }" height="${LANE - 8}" rx="4"/>${words.join("")}`;
}

/** Words in lines that are not longer than `most`; a word that is longer is left out. */
function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(({ length }) => length <= most)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

function ticks(seconds: number, axis: number, x: (second: number) => number): string[] {
  const step = [0.5, 1, 2, 5, 10, 30, 60, 300].find((each) => seconds / each <= 13) ?? 600;
  const marks = [`<path class="line" d="M${LEFT} ${axis}H${RIGHT}"/>`];
  for (let second = 0; second <= seconds; second += step) {
    const at = x(second).toFixed(1);
    marks.push(
      `<path class="line" d="M${at} ${axis}v6"/>` +
        `<text class="tick" x="${at}" y="${axis + 22}" text-anchor="middle">${second} s</text>`,
    );
  }
  return marks;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

import { sorted } from "../../core/graph/plan.ts";
import { type Box, byPlace, type Picture } from "./picture.ts";
import { escapeText } from "./text_forms.ts";

/** Where a box stands, in px. */
export interface Placed extends Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const LETTER = 7.4;
/** A letter of the title, which is larger. */
const TITLE_LETTER = 10;
const LINE = 17;
const PADDING = 12;
const GAP_X = 110;
const GAP_Y = 34;
const colors = ["#2563eb", "#16a34a", "#c2410c", "#9333ea", "#0891b2", "#be123c"];

/**
 * Places boxes in columns, each to the right of all that give to it; in a column below each other. So no two
 * can overlap.
 */
export function layOut({ boxes, arrows }: Picture): Placed[] {
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const columns: Box[][] = [];
  const column = new Map<string, number>();
  for (const id of sorted([...byId.keys()], arrows)) {
    const before = arrows.filter(({ to }) => to === id).map(({ from }) => column.get(from)! + 1);
    const own = Math.max(0, ...before);
    column.set(id, own);
    (columns[own] ??= []).push(byId.get(id)!);
  }
  const placed: Placed[] = [];
  const heights = columns.map((inside) =>
    inside.reduce((sum, box) => sum + heightOf(box) + GAP_Y, -GAP_Y)
  );
  const tallest = Math.max(...heights);
  let x = 60;
  for (const [index, inside] of columns.entries()) {
    const width = Math.max(...inside.map(widthOf));
    let y = 50 + (tallest - heights[index]!) / 2;
    for (const box of inside) {
      placed.push({ ...box, x, y, width, height: heightOf(box) });
      y += heightOf(box) + GAP_Y;
    }
    x += width + GAP_X;
  }
  return placed;
}

/** A picture as SVG. */
export function toSvg(picture: Picture): string {
  const placed = layOut(picture);
  const at = new Map(placed.map((box) => [box.id, box]));
  const places = [...byPlace(picture.boxes).keys()];
  const colorOf = (place: string | undefined) =>
    place === undefined ? "#475569" : colors[places.indexOf(place) % colors.length]!;
  const legendAt = Math.max(...placed.map(({ y, height }) => y + height)) + 40;
  const legendWidth = places.reduce(
    (sum, place) => sum + (place ?? "here").length * LETTER + 50,
    0,
  );
  const boxesEnd = Math.max(...placed.map((box) => box.x + box.width));
  const width = 60 + Math.max(boxesEnd, 60 + picture.name.length * TITLE_LETTER, 60 + legendWidth);
  const height = legendAt + 24;
  const arrows = picture.arrows.map(({ from, to, label }) =>
    arrow(at.get(from)!, at.get(to)!, label)
  );
  const ends = [
    ...picture.inputs.map((id) => at.get(id)!).map(({ x, y, height }) =>
      line(x - 40, y + height / 2, x, y + height / 2)
    ),
    ...picture.outputs.map((id) => at.get(id)!).map(({ x, y, width, height }) =>
      line(x + width, y + height / 2, x + width + 40, y + height / 2)
    ),
  ];
  const legend = places.map((place, index) => {
    const x = 60 +
      places.slice(0, index).reduce((sum, each) => sum + (each ?? "here").length * LETTER + 50, 0);
    return `<g class="place"><rect x="${x}" y="${
      legendAt - 11
    }" width="12" height="12" rx="3" fill="${colorOf(place)}"/><text x="${
      x + 18
    }" y="${legendAt}">${escapeText(place ?? "here")}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="12">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#64748b"/></marker></defs>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="60" y="28" font-size="16" font-weight="bold">${escapeText(picture.name)}</text>
${
    [...arrows, ...ends, ...placed.map((box) => drawBox(box, colorOf(box.place))), ...legend].join(
      "\n",
    )
  }
</svg>
`;
}

function drawBox({ id, lines, x, y, width, height, heat }: Placed, color: string): string {
  const fill = heat === undefined
    ? "#f8fafc"
    : `hsl(${Math.round(50 - 50 * heat)} 95% ${Math.round(92 - 30 * heat)}%)`;
  const rows = lines.map((text, index) =>
    `<text x="${x + PADDING}" y="${y + 24 + (index + 1) * LINE}" fill="#334155">${
      escapeText(text)
    }</text>`
  );
  return `<g class="node" data-id="${
    escapeText(id)
  }"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${fill}" stroke="${color}" stroke-width="2"/><text x="${
    x + PADDING
  }" y="${y + 22}" font-weight="bold">${escapeText(id)}</text>${rows.join("")}</g>`;
}

function arrow(from: Placed, to: Placed, label: string): string {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  const path = `<path d="M${x1} ${y1} C${x1 + bend} ${y1} ${
    x2 - bend
  } ${y2} ${x2} ${y2}" fill="none" stroke="#64748b" stroke-width="1.5" marker-end="url(#tip)"/>`;
  if (label === "") return path;
  const [x, y] = [(x1 + Math.min(x2, x1 + GAP_X)) / 2, (y1 + y2) / 2 - 6];
  return `${path}<text x="${x}" y="${y}" font-size="10" text-anchor="middle" fill="#64748b">${
    escapeText(label)
  }</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${x1} ${y1} ${x2} ${y2}" stroke="#64748b" stroke-width="1.5" marker-end="url(#tip)"/>`;
}

function widthOf({ id, lines }: Box): number {
  const longest = Math.max(id.length * 1.1, ...lines.map(lettersOf));
  return Math.ceil(longest * LETTER) + 2 * PADDING;
}

/** How wide a text is, in letters: what is not in Latin, Greek or Cyrillic may take two. */
function lettersOf(text: string): number {
  return text.replaceAll(/[\u3000-\u{10ffff}]/gu, "xx").length;
}

function heightOf({ lines }: Box): number {
  return 36 + lines.length * LINE;
}

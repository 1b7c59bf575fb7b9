import { byPlace, type Picture } from "./picture.ts";

/** A picture as Mermaid's text, for Markdown. */
export function toMermaid({ boxes, arrows }: Picture): string {
  const number = new Map(boxes.map(({ id }, index) => [id, `n${index}`]));
  const lines = ["flowchart LR"];
  let group = 0;
  for (const [place, inside] of byPlace(boxes)) {
    if (place !== undefined) lines.push(`  subgraph place${group++}["${escapeText(place)}"]`);
    for (const { id, lines: more } of inside) {
      const text = [`<b>${escapeText(id)}</b>`, ...more.map(escapeText)].join("<br>");
      lines.push(`    ${number.get(id)}["${text}"]`);
    }
    if (place !== undefined) lines.push("  end");
  }
  for (const { from, to, label } of arrows) {
    const text = label === "" ? "" : `|"${escapeText(label)}"|`;
    lines.push(`  ${number.get(from)} -->${text} ${number.get(to)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A picture as text for Graphviz. */
export function toDot({ name, boxes, arrows }: Picture): string {
  const lines = [
    `digraph ${quote(name)} {`,
    "  rankdir=LR;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
  ];
  let group = 0;
  for (const [place, inside] of byPlace(boxes)) {
    if (place !== undefined) lines.push(`  subgraph cluster_${group++} { label=${quote(place)};`);
    for (const { id, lines: more } of inside) {
      lines.push(`    ${quote(id)} [label=${quote([id, ...more].join("\n"))}];`);
    }
    if (place !== undefined) lines.push("  }");
  }
  for (const { from, to, label } of arrows) {
    lines.push(
      `  ${quote(from)} -> ${quote(to)}${label === "" ? "" : ` [label=${quote(label)}]`};`,
    );
  }
  return `${lines.join("\n")}\n}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** Text in HTML and SVG. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

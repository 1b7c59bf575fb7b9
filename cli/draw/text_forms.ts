import { byPlace, type Picture } from "./picture.ts";

/** A picture as Mermaid's text, for Markdown. */
export function toMermaid({ boxes, arrows }: Picture): string {
  const number = new Map(boxes.map(({ id }, index) => [id, `n${index}`]));
  const lines = ["flowchart LR"];
  let group = 0;
  for (const [place, inside] of byPlace(boxes)) {
    if (place !== undefined) lines.push(`  subgraph place${group++}["${mermaidText(place)}"]`);
    for (const { id, lines: more } of inside) {
      const text = [`<b>${mermaidText(id)}</b>`, ...more.map(mermaidText)].join("<br>");
      lines.push(`    ${number.get(id)}["${text}"]`);
    }
    if (place !== undefined) lines.push("  end");
  }
  for (const { from, to, label } of arrows) {
    const text = label === "" ? "" : `|"${mermaidText(label)}"|`;
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

/** `#35;` is how Mermaid writes the sign that begins such names of letters. */
function mermaidText(text: string): string {
  return escapeText(text).replaceAll("#", "#35;");
}

/** A text for Graphviz, which knows HTML's names of letters too. */
function quote(text: string): string {
  return `"${
    text.replaceAll("&", "&amp;").replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll(
      "\n",
      "\\n",
    )
  }"`;
}

/** Text in HTML and SVG; letters that XML has not become `\ufffd`. */
export function escapeText(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the ones
  const known = text.toWellFormed().replaceAll(/[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
  return known.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

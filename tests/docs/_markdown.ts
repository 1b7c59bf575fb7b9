export const root: string = new URL("../../", import.meta.url).pathname;

/** A page of the documentation. */
export interface Page {
  /** Its path from the root. */
  path: string;
  text: string;
}

/** A fenced block. */
export interface Block {
  /** Path and line where it starts. */
  at: string;
  path: string;
  /** The first word behind the fence. */
  language: string;
  /** What else stands there. */
  rest: string;
  text: string;
}

async function* markdownBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${root}${folder}`)) {
    if (isDirectory) yield* markdownBelow(`${folder}/${name}`);
    else if (name.endsWith(".md")) yield `${folder}/${name}`;
  }
}

/** All pages: those at the root, in docs/ and in examples/. */
export async function pages(): Promise<Page[]> {
  const paths = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  for (const folder of ["docs", "examples"]) {
    paths.push(...await Array.fromAsync(markdownBelow(folder)));
  }
  return await Promise.all(
    paths.sort().map(async (path) => ({ path, text: await Deno.readTextFile(`${root}${path}`) })),
  );
}

/** The fenced blocks of a page. */
export function blocksOf({ path, text }: Page): Block[] {
  const blocks: Block[] = [];
  let open: { block: Block; lines: string[]; fence: string } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, fence, info] = /^ *(```+|~~~+)(.*)$/.exec(line) ?? [];
    if (open === undefined && fence !== undefined) {
      const [language = "", ...rest] = info!.trim().split(/\s+/);
      const block = { at: `${path}:${index + 1}`, path, language, rest: rest.join(" "), text: "" };
      open = { block, lines: [], fence };
    } else if (open !== undefined && fence?.startsWith(open.fence) && info === "") {
      blocks.push({ ...open.block, text: open.lines.join("\n") });
      open = undefined;
    } else open?.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${open.block.at} has no end`);
  return blocks;
}

/** A page without its fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/^ *(```+|~~~+)[\s\S]*?^ *\1 *$/gm, "");
}

/** The anchors of a page's headings, as GitHub names them. */
export function anchorsOf(page: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(page).matchAll(/^#{1,6} +(.+)$/gm)) {
    const words = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

/** Where links and pictures of a page lead, beside other sites. */
export function linksOf(page: Page): string[] {
  const prose = proseOf(page).replaceAll(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)].map(([, target]) => target!);
  const tags = [...prose.matchAll(/(?:src|href|srcset)="([^"]+)"/g)].map(([, target]) => target!);
  const references = [...prose.matchAll(/^\[[^\]]+\]: +(\S+)/gm)].map(([, target]) => target!);
  return [...links, ...tags, ...references].filter((target) => !/^[a-z]+:/.test(target));
}

import { deepEqual, ok } from "node:assert/strict";
import { dirname, join } from "node:path";
import * as nodes from "../../nodes/mod.ts";
import * as sdk from "../../mod.ts";
import * as packaging from "../../packaging/mod.ts";
import * as server from "../../remote/server/mod.ts";
import * as testing from "../../testing/mod.ts";
import { anchorsOf, linksOf, type Page, pages, proseOf, root } from "./_markdown.ts";

Deno.test("Every link between pages leads to a file and a heading that are there", async () => {
  const all = await pages();
  const byPath = new Map(all.map((page) => [page.path, page]));
  const wrong: string[] = [];
  let count = 0;
  for (const page of all) {
    for (const link of linksOf(page)) {
      count++;
      const [file, anchor] = link.split("#") as [string, string?];
      const path = file === "" ? page.path : join(dirname(page.path), file);
      const isThere = await Deno.stat(`${root}${path}`).then(() => true, () => false);
      const target = byPath.get(path);
      const hasAnchor = anchor === undefined ||
        (target !== undefined && anchorsOf(target).has(anchor));
      if (!isThere || !hasAnchor) wrong.push(`${page.path}: ${link}`);
    }
  }
  ok(count > 60, `${count} links were found`);
  deepEqual(wrong, []);
});

Deno.test("Every file and folder of the repository that the documentation names is there", async () => {
  const folders = (await Array.fromAsync(Deno.readDir(root))).filter(({ isDirectory }) =>
    isDirectory
  );
  const own = new RegExp(`^(${folders.map(({ name }) => name).join("|")})/[\\w./*-]*$`);
  const wrong: string[] = [];
  let count = 0;
  for (const page of (await pages()).filter(({ path }) => path !== "CHANGELOG.md")) {
    for (const [, code] of proseOf(page).matchAll(/`([^`\n]+)`/g)) {
      const path = /^[a-z_]+_test\.ts$/.test(code!) ? `tests/remote/sandbox/${code}` : code!;
      if (!own.test(path) || path.includes("*") || path.startsWith("out/")) continue;
      count++;
      if (!await Deno.stat(`${root}${path}`).then(() => true, () => false)) {
        wrong.push(`${page.path}: ${code}`);
      }
    }
  }
  ok(count > 20, `${count} names were found`);
  deepEqual(wrong, []);
});

Deno.test("Every picture of docs/images/ is shown or linked, is small and loads nothing else", async () => {
  const all = (await pages()).map(({ text }) => text).join("\n");
  for await (const { name } of Deno.readDir(`${root}docs/images`)) {
    ok(all.includes(`images/${name}`), `${name} is not used`);
    const bytes = await Deno.readFile(`${root}docs/images/${name}`);
    ok(bytes.length < 100_000, `${name} has ${bytes.length} bytes`);
    if (!name.endsWith(".svg")) continue;
    const svg = new TextDecoder().decode(bytes);
    ok(!/href=|url\((?!#)|<script|@import/.test(svg), `${name} loads something`);
  }
});

Deno.test("docs/protocol.md tells of every call", async () => {
  const text = await Deno.readTextFile(`${root}docs/protocol.md`);
  const folder = `${root}proto/remotemedia/v1`;
  for await (const { name } of Deno.readDir(folder)) {
    const source = await Deno.readTextFile(`${folder}/${name}`);
    for (const [, call] of source.matchAll(/^ *rpc (\w+)\(/gm)) {
      ok(text.includes(`\`${call}\``), `${call} of ${name}`);
    }
  }
});

/** The cells of a table's last column. */
function lastCells(page: Page): string[] {
  const rows = proseOf(page).split("\n").filter((line) => /^\|.*\|$/.test(line));
  return rows.map((row) => row.replaceAll("\\|", "").split("|").at(-2)!);
}

Deno.test("Every class that the tables of README and docs/coming_from_*.md name is there", async () => {
  const exported = new Set(
    [sdk, nodes, server, packaging, testing].flatMap((module) => Object.keys(module)),
  );
  const moving = (await pages()).filter(({ path }) => /^README|^docs\/coming_from_/.test(path));
  const named = moving.flatMap((page) =>
    lastCells(page).flatMap((cell) =>
      [...cell.matchAll(/`(?:new |await )?([A-Z]\w+)/g)].map(([, name]) => `${page.path} ${name}`)
    )
  );
  ok(named.length > 80, `${named.length} names were found`);
  // of the platform, or a type, of which nothing is left when it runs
  const others = ["Float32Array", "BigInt", "Type", "Deno"];
  const missing = named.filter((each) => {
    const name = each.split(" ")[1]!;
    return !exported.has(name) && !others.includes(name);
  });
  deepEqual(missing, []);
});

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

/** The cells of a table's last column. */
function lastCells(page: Page): string[] {
  const rows = proseOf(page).split("\n").filter((line) => /^\|.*\|$/.test(line));
  return rows.map((row) => row.replaceAll("\\|", "").split("|").at(-2)!);
}

Deno.test("Every class that a table of docs/coming_from_*.md names is there", async () => {
  const exported = new Set(
    [sdk, nodes, server, packaging, testing].flatMap((module) => Object.keys(module)),
  );
  const moving = (await pages()).filter(({ path }) => path.startsWith("docs/coming_from_"));
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

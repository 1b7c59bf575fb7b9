import { equal, match, ok } from "node:assert/strict";
import { pictureOf } from "../../cli/draw/picture.ts";
import { toSvg } from "../../cli/draw/svg.ts";
import { toDot, toMermaid } from "../../cli/draw/text_forms.ts";
import { cli, folder, upper } from "./_cli.ts";

Deno.test("Pictures hold any text of an option, none as markup", () => {
  const options = {
    markup: `</text><b>"&lt;#quot;`,
    none: "\ufffe\uffff",
    cut: `${"x".repeat(25)}😀😀`,
    long: "😀".repeat(40),
  };
  const manifest = { version: 1 as const, name: "x", nodes: [{ id: "n", type: "Tap", options }] };
  const picture = pictureOf(manifest);
  const [svg, dot, mermaid] = [toSvg(picture), toDot(picture), toMermaid(picture)];
  ok(svg.includes("&lt;/text&gt;&lt;b&gt;") && svg.includes("none: &quot;\ufffd\ufffd&quot;"));
  ok(dot.includes("&amp;lt;#quot;"), dot); // Graphviz knows HTML's names of letters
  ok(mermaid.includes("&amp;lt;#35;quot;"), mermaid); // Mermaid has its own
  for (const text of [svg, dot, mermaid]) {
    equal(text, text.toWellFormed()); // no letter is cut in two
    match(text, /long: .*(😀){20}…/u);
  }
});

Deno.test("graph refuses an ending that tells no form, and statistics that are none", async () => {
  await using dir = await folder({ "p.yaml": upper, "stats.json": '{"a": 1}' });
  const cases: [string[], RegExp][] = [
    [["-o", "x.png"], /Cannot write x\.png as its ending must tell the form: \.svg, \.mmd/],
    [["-o", "constructor"], /Cannot write constructor as its ending/],
    [["--stats", "stats.json"], /stats\.json as it is not what run --stats-file writes/],
    [["--stats", "none.json"], /Cannot read none\.json: there is no such file/],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await cli(["graph", "p.yaml", ...args], dir.path);
    equal(code, 2, err);
    match(err, message);
  }
  equal([...Deno.readDirSync(dir.path)].length, 2);
  const { code } = await cli(["graph", "p.yaml", "-o", "x.txt", "--as", "dot"], dir.path);
  equal(code, 0);
});

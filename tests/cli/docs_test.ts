import { equal, ok } from "node:assert/strict";
import { formatted, generatedDocs } from "../../tasks/docs.ts";
import { root } from "./_cli.ts";

Deno.test("The generated documentation is up to date", async () => {
  for (const [path, text] of Object.entries(generatedDocs())) {
    const expected = await formatted(text, path.split(".").at(-1)!);
    ok(
      await Deno.readTextFile(`${root}${path}`) === expected,
      `${path} is old: run "deno run -A tasks/docs.ts"`,
    );
  }
  equal(Object.keys(generatedDocs()).length, 3);
});

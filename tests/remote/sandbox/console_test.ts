import assert from "node:assert/strict";
import type { Logger } from "../../../core/log.ts";
import { SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { bundleOf } from "./_bundles.ts";

/** What a sandbox's console gives for some code, as "level text". */
async function linesOf(code: string): Promise<string[]> {
  const lines: string[] = [];
  const write = (level: string) => (_: string, { text }: { text: string }) =>
    void lines.push(`${level} ${text}`);
  const levels = ["debug", "info", "warn", "error"].map((level) => [level, write(level)]);
  const log = Object.fromEntries(levels) as unknown as Logger;
  await using host = new SandboxHost({ warm: 0 });
  await using _sandbox = await host.load(await bundleOf(code), { log }); // lines come before it is loaded
  return lines;
}

Deno.test("Sandbox logs what any method of its console writes", async () => {
  const lines = await linesOf(`
    console.log("a", 1, { b: [2] });
    console.warn("w");
    console.assert(true, "not this");
    console.assert(false, "asserted %d", 7);
    console.assert(false);
    console.count();
    console.count("x");
    console.count("x");
    console.countReset("x");
    console.count("x");
    console.group("group");
    console.dirxml("xml");
    console.groupEnd();
    console.timeEnd("none");
    console.log("%s has %d of %i, %o%% %c done", "x", "1.5", 2.9, ["y"], "color: red", "rest");
  `);
  assert.deepEqual(lines, [
    "info a 1 { b: [ 2 ] }",
    "warn w",
    "error asserted 7",
    "error Assertion failed",
    "info default: 1",
    "info x: 1",
    "info x: 2",
    "info x: 1",
    "info group",
    "info xml",
    "warn Timer none does not exist",
    'info x has 1.5 of 2, [ "y" ]%  done rest',
  ]);
});

Deno.test("Sandbox logs the times that its console measures", async () => {
  const lines = await linesOf(`
    console.time("t");
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.timeLog("t", "more");
    console.timeEnd("t");
  `);
  assert.match(lines[0]!, /^info t: \d+ ms more$/);
  assert.match(lines[1]!, /^info t: \d+ ms$/);
});

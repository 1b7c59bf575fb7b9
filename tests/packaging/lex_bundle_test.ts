import assert from "node:assert/strict";
import { PackagingError } from "../../core/errors.ts";
import { lexBundle } from "../../packaging/mod.ts";

Deno.test("lexBundle lists the SDK's imports and all kinds of exports", async () => {
  const lexed = await lexBundle(`
    import { Node } from "@remotemedia/sdk";
    import * as sdk from '@remotemedia/sdk';
    export { Gain as Louder } from "@remotemedia/sdk";
    export * as rest from "@remotemedia/sdk";
    export const { a, b: { c = 1 }, ...d } = {}, [e, , f = 2, ...g] = [];
    export class H extends Node {}
    export async function* i() { yield import("@remotemedia/sdk"); }
    const j = 1;
    export { j as "a name" };
    export default import.meta.url + import.meta.dirname;`);
  assert.deepEqual(lexed.imports, Array(5).fill("@remotemedia/sdk"));
  const names = ["H", "Louder", "a", "a name", "c", "d", "default", "e", "f", "g", "i", "rest"];
  assert.deepEqual(lexed.exports, names);
});

Deno.test("lexBundle refuses every other import", async () => {
  const refused: Record<string, RegExp> = {
    'import "https://example.com/x.js"': /imports "https:\/\/example\.com\/x\.js"/,
    'import x from "npm:x"': /imports "npm:x"/,
    'import x from "file:///etc/passwd" with { type: "text" }': /imports "file:/,
    'export * from "data:text/javascript,1"': /imports "data:/,
    'export { x } from "node:fs"': /imports "node:fs"/,
    'import x from "@remotemedia/sdk/nodes"': /imports "@remotemedia\/sdk\/nodes"/,
    'import x from "@remotemedia/sdk" with { type: "text" }': /with attributes/,
    'import("@remotemedia/sdk", { with: { type: "text" } })': /with attributes/,
    'const f = async () => { await import("jsr:@x/y") }': /imports "jsr:@x\/y"/,
    "import(name)": /computed at run time/,
    "import(`@remotemedia/sdk`)": /computed at run time/,
    'import("@remotemedia/sdk" + "")': /computed at run time/,
    'import.meta.resolve("x")': /calls import\.meta\.resolve/,
    'import.meta?.["resolve"]("x")': /calls import\.meta\.resolve/,
    "import.meta[name]": /computed property of import\.meta/,
    'import defer * as x from "x"': /imports "x"/,
    'import source x from "@remotemedia/sdk"': /with attributes or a phase/,
    'import.source("@remotemedia/sdk")': /with attributes or a phase/,
    "let let = 1": /not valid/,
  };
  for (const [source, message] of Object.entries(refused)) {
    await assert.rejects(lexBundle(source), (error: Error) => {
      assert.match(error.message, message, source);
      return error instanceof PackagingError;
    });
  }
  await assert.rejects(lexBundle('export {};\n  import("x")'), /line 2, column 3/);
});

Deno.test("lexBundle sees imports that quick lexers take for comments and regular expressions", async () => {
  const hidden = 'import("x")';
  const sources = [
    `//\u2028${hidden}`,
    `//\u2029${hidden}`,
    `//\r${hidden}`,
    `let g = 1; (function f() {} / ${hidden} / g)`,
    `let g = 1; (class {} / ${hidden} / g)`,
    `let g = 1, x; x = function () {} / ${hidden} / g`,
    `let g = 1; ({ a: function () {} / ${hidden} / g })`,
    `let g = 1; (async function () {} / ${hidden} / g)`,
    `let g = 1, z = class A { x() {} } / ${hidden} / g`,
    `let g = 1, z = new function () {} / ${hidden} / g`,
    `let g = 1, o = {}; o. /* c */ typeof / ${hidden} / g`,
    `let g = 1, o = {}; o\n.\ndelete / ${hidden} / g`,
    `let g = 1, o = {}; o.//\nreturn / ${hidden} / g`,
    `let g = 1; \`\${ {} / ${hidden} / g }\``,
    `let g = 1; y++ / ${hidden} / g; var y`,
    `var type, X; type\nX = ${hidden}`,
    `var declare; declare\nvar x = ${hidden}`,
    `import\n/**/("x")`,
    `let g = 1, x; x = async function () {}\n/ ${hidden} /g`,
    `let g = 1; await class A {}\n/ ${hidden} /g`,
    `let g = 1; void function* () {}\r/ ${hidden} /g`,
  ];
  for (const source of sources) {
    await assert.rejects(lexBundle(source), /imports "x"/, source);
  }
  const harmless = [
    '/import("x")/.test("")',
    '"import(x)"',
    "`import('x')`",
    '// import("x")',
    "a.import(1); var a",
  ];
  for (const source of harmless) assert.deepEqual((await lexBundle(source)).imports, [], source);
});

/** Pieces of programs after which it is hard to tell a division from a regular expression. */
const pieces = [
  ..."a 1 's' `t` `${ } { ( ) [ ] ; , / /g ++ -- + = => ? : ... [/] // /* */ this null /=".split(
    " ",
  ),
  ..."function(){} function*(){} class{} ()=>{} a=>{} if(a) while(a) switch(a){ try{}catch{}".split(
    " ",
  ),
  ..."async typeof new of in get static let yield await throw void return do else".split(" "),
  ..."class\u00a0A{} async\u00a0function(){} case\u00a01: x: \n \r \u2028".split(" "),
].map((piece) => `${piece} `);

/** The same numbers each time: a test that fails must fail again. */
function* randomNumbers(seed: number): Generator<number> {
  for (let state = seed;; state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0) {
    yield (Math.imul(state ^ (state >>> 13), 0x297a2d39) ^ (state >>> 7)) >>> 0;
  }
}

const AsyncFunction = (async () => {}).constructor as new (source: string) => unknown;

function compiles(source: string): boolean {
  try {
    new AsyncFunction(`"use strict";${source}`);
    return true;
  } catch {
    return false;
  }
}

Deno.test("lexBundle sees every import that V8 sees, in 50,000 random programs", async () => {
  const numbers = randomNumbers(1);
  const pick = (count: number) => numbers.next().value as number % count;
  const some = (count: number) =>
    Array.from({ length: pick(count) }, () => pieces[pick(pieces.length)]).join("");
  let seen = 0;
  for (let round = 0; round < 50_000; round++) {
    const before = some(8) + ["", "/ "][pick(2)];
    const after = ["", "/g", "/ g"][pick(3)]! + some(3);
    const source = `${before}import("x")${after}`;
    // In code, and there only, no program is left if the import's argument is none.
    if (!compiles(source) || compiles(`${before}import(@)${after}`)) continue;
    seen++;
    await assert.rejects(lexBundle(source), PackagingError, JSON.stringify(source));
  }
  assert.ok(seen > 300, `${seen} programs with an import`);
});

Deno.test("lexBundle bounds hostile sources: depth, tokens, and the time of others", async () => {
  await assert.rejects(lexBundle("[".repeat(200_000)), /Cannot read module/);
  await assert.rejects(lexBundle("a=>".repeat(50_000)), /Cannot read module/);
  await assert.rejects(
    lexBundle("a;".repeat(40_000), { maxTokens: 50_000 }),
    /more than 50000 tokens/,
  );
  const ticks: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    ticks.push(performance.now() - last);
    last = performance.now();
  }, 5);
  await assert.rejects(lexBundle(`${"a;".repeat(300_000)}import("x")`), /imports "x"/);
  clearInterval(timer);
  assert.ok(ticks.length > 3, `the event loop ran ${ticks.length} times meanwhile`);
});

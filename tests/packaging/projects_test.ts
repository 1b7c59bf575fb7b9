import assert from "node:assert/strict";
import { PackagingError } from "../../core/errors.ts";
import { importBundle, Project } from "./_project.ts";

Deno.test("createBundle resolves paths of a tsconfig.json and of those that it extends", async () => {
  await using project = await Project.create({
    "tsconfig.json": `{
      // comments are allowed
      "extends": ["./config/base", "shared-config/strict.json"],
    }`,
    "config/base.json": `{ "compilerOptions": { "paths": { "lost/*": ["./lost/*"] } } }`,
    "node_modules/shared-config/strict.json": JSON.stringify({ extends: "../../config/root.json" }),
    "config/root.json": JSON.stringify({
      compilerOptions: { baseUrl: "..", paths: { "@/*": ["src/*"], "one": ["src/one.ts"] } },
    }),
    "src/one.ts": "export const one = 1;",
    "src/deep/two.ts": 'import { one } from "one"; export const two = 2 * one;',
    "main.ts": 'export { two } from "@/deep/two.ts";',
  });
  assert.equal((await importBundle(await project.bundle("main.ts"))).two, 2);
  // its own paths stand for all of theirs, and start at its own folder
  await project.write(
    "tsconfig.json",
    JSON.stringify({
      extends: "./config/root.json",
      compilerOptions: { baseUrl: ".", paths: { "@/*": ["other/*"], one: ["src/one.ts"] } },
    }),
  );
  await project.write("other/deep/two.ts", "export const two = 22;");
  assert.equal((await importBundle(await project.bundle("main.ts"))).two, 22);
});

Deno.test("createBundle notices a change of a configuration that is extended", async () => {
  const base = (folder: string) => JSON.stringify({ compilerOptions: { paths: { x: [folder] } } });
  await using project = await Project.create({
    "tsconfig.json": '{ "extends": "./base.json" }',
    "base.json": base("./a.ts"),
    "a.ts": "export const x = 1;",
    "b.ts": "export const x = 2;",
    "main.ts": 'export { x } from "x";',
  });
  assert.equal((await importBundle(await project.bundle("main.ts"))).x, 1);
  await project.write("base.json", base("./b.ts"));
  assert.equal((await importBundle(await project.bundle("main.ts"))).x, 2);
});

Deno.test("createBundle refuses configurations that extend what is not there, or each other", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "tsconfig.json": '{ "extends": "./none" }' }, /it extends \.\/none, which is not there/],
    [
      {
        "tsconfig.json": '{ "extends": "./a.json" }',
        "a.json": '{ "extends": "./tsconfig.json" }',
      },
      /it extends itself: .*tsconfig\.json -> .*a\.json -> .*tsconfig\.json/,
    ],
  ];
  for (const [files, message] of cases) {
    await using project = await Project.create({ ...files, "main.ts": "export {};" });
    await assert.rejects(project.bundle("main.ts"), (error: Error) => {
      assert.match(error.message, message);
      return error instanceof PackagingError;
    });
  }
});

Deno.test("createBundle resolves an import map with scopes, in a file of its own and inside deno.json", async () => {
  const map = {
    imports: { value: "./src/value.ts" },
    scopes: { "./src/old/": { value: "./src/old_value.ts" } },
  };
  const files = {
    "src/value.ts": "export const value = 'new';",
    "src/old_value.ts": "export const value = 'old';",
    "src/old/lib.ts": 'export { value as old } from "value";',
    "main.ts": 'export { value } from "value"; export { old } from "./src/old/lib.ts";',
  };
  const projects: Record<string, string>[] = [
    { "deno.json": JSON.stringify(map) },
    { "deno.json": '{ "importMap": "./map.json" }', "map.json": JSON.stringify(map) },
  ];
  for (const each of projects) {
    await using project = await Project.create({ ...files, ...each });
    const { value, old } = await importBundle(await project.bundle("main.ts"));
    assert.deepEqual([value, old], ["new", "old"]);
  }
});

Deno.test("createBundle resolves members of a workspace, and paths beside them", async () => {
  await using project = await Project.create({
    "deno.json": JSON.stringify({
      workspace: ["./app", "./lib"],
      imports: { "root/": "./root/" },
    }),
    "root/base.ts": "export const base = 1;",
    "lib/deno.json": JSON.stringify({
      name: "@mine/lib",
      version: "1.0.0",
      exports: { ".": "./mod.ts", "./more": "./more.ts" },
    }),
    "lib/mod.ts": 'export const lib = 2; export { base } from "root/base.ts";',
    "lib/more.ts": "export const more = 3;",
    "app/deno.json": JSON.stringify({ imports: { "own/": "./own/" } }),
    "app/own/own.ts": "export const own = 4;",
    "app/main.ts": `
      export { base, lib } from "@mine/lib";
      export { more } from "@mine/lib/more";
      export { own } from "own/own.ts";`,
  });
  const { base, lib, more, own } = await importBundle(await project.bundle("app/main.ts"));
  assert.deepEqual([base, lib, more, own], [1, 2, 3, 4]);
  const { manifest } = await project.bundle("app/main.ts");
  assert.deepEqual(manifest.modules.map(({ kind }) => kind), Array(5).fill("local"));
});

Deno.test("createBundle refuses a Worker of a user's module, and names the chain to it", async () => {
  const starts = [
    'new Worker(new URL("./w.ts", import.meta.url), { type: "module" })',
    'new globalThis.Worker(new URL("./w.ts", import.meta.url))',
  ];
  for (const start of starts) {
    await using project = await Project.create({
      "main.ts": 'export * from "./lib/a.ts";',
      "lib/a.ts": `export interface X {\n  a: 1;\n}\nexport const begin = (): Worker => ${start};`,
      "lib/w.ts": "self.onmessage = () => {};",
    });
    await assert.rejects(project.bundle("main.ts"), {
      name: "PackagingError",
      message: "Cannot package main.ts as it starts a Worker of ./w.ts, and a sandbox has none " +
        "(make it a node: it runs beside others without one): main.ts -> lib/a.ts:4:36",
    });
  }
  // in a package it is a way that need not be taken, and not everything called so is one
  await using fine = await Project.create({
    "package.json": JSON.stringify({ dependencies: { pool: "1.0.0" } }),
    "node_modules/pool/package.json": JSON.stringify({
      name: "pool",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
    }),
    "node_modules/pool/index.js": `export const sum = (a, b) => a + b; export const far = () => ${
      starts[0]
    };`,
    "main.ts": 'import { sum } from "pool"; export const three: number = sum(1, 2);\n' +
      'export const here: URL = new URL("./w.ts", import.meta.url);',
  });
  assert.equal((await importBundle(await fine.bundle("main.ts"))).three, 3);
});

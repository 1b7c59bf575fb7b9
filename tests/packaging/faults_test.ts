import assert from "node:assert/strict";
import { PackagingError } from "../../core/errors.ts";
import { type CreateBundleOptions, encodeState } from "../../packaging/mod.ts";
import { npm, Project } from "./_project.ts";

/** Packages `main.ts` of a project that cannot be packaged, and gives the message. */
async function faultOf(
  files: Record<string, string>,
  options: CreateBundleOptions = {},
): Promise<string> {
  await using project = await Project.create(files);
  let message = "";
  await assert.rejects(project.bundle("main.ts", options), (error: Error) => {
    message = error.message.replaceAll(project.path, "<project>");
    return error instanceof PackagingError;
  });
  return message;
}

/** Two modules in front of the one at fault. */
const chain = {
  "main.ts": 'export * from "./lib/a.ts";',
  "lib/a.ts": 'export * from "./b.ts";',
};

Deno.test("createBundle names the chain to a module that is missing", async () => {
  const local = await faultOf({ ...chain, "lib/b.ts": 'export { c } from "./c.ts";' });
  assert.match(
    local,
    /^Cannot package main\.ts as a module is missing: main\.ts -> lib\/a\.ts -> lib\/b\.ts -> lib\/c\.ts /,
  );
  const bare = await faultOf({ ...chain, "lib/b.ts": 'export { c } from "unheard-of";' });
  assert.match(bare, /a module is missing: main\.ts -> lib\/a\.ts -> lib\/b\.ts -> unheard-of /);
  const entry = await faultOf({ "other.ts": "" });
  assert.match(entry, /a module is missing: main\.ts/);
  await using project = await Project.create({});
  await assert.rejects(
    project.bundle("nowhere/main.ts"),
    /a module is missing: .*nowhere\/main\.ts/,
  );
});

Deno.test("createBundle names the chain to a module that cannot be parsed", async () => {
  const message = await faultOf({ ...chain, "lib/b.ts": "export const = 1;" });
  assert.match(
    message,
    /cannot be read: main\.ts -> lib\/a\.ts -> lib\/b\.ts \(SyntaxError: .*b\.ts:1:14/s,
  );
});

Deno.test("createBundle names chain and place of a specifier that is computed", async () => {
  const computed =
    "interface X {\n  y: 1;\n}\n\nexport const load = (name: string) =>\n  import(name);\n";
  const message = await faultOf({ ...chain, "lib/b.ts": computed });
  assert.equal(
    message,
    "Cannot package main.ts as it imports a specifier that is computed at run time: " +
      "main.ts -> lib/a.ts -> lib/b.ts:6:3",
  );
  const resolved = await faultOf({
    ...chain,
    "lib/b.ts": 'export const x = import.meta.resolve("./y.ts");',
  });
  assert.match(
    resolved,
    /it calls import\.meta\.resolve: main\.ts -> lib\/a\.ts -> lib\/b\.ts:1:18$/,
  );
  const star = await faultOf({ "main.ts": 'export * from "node:os";' });
  assert.match(star, /it re-exports "node:os" as a whole.*: main\.ts:1:1$/);
});

Deno.test("createBundle names the chain to a native addon", async () => {
  const onnx = npm("onnxruntime-node");
  const message = await faultOf({ ...chain, "lib/b.ts": `export * from "${onnx}";` });
  assert.equal(
    message,
    `Cannot package main.ts as a native addon cannot travel: main.ts -> lib/a.ts -> lib/b.ts -> ${onnx}`,
  );
  const file = await faultOf({
    ...chain,
    "lib/b.ts": 'export * from "./x.node";',
    "lib/x.node": "",
  });
  assert.match(
    file,
    /a native addon cannot travel: main\.ts -> lib\/a\.ts -> lib\/b\.ts -> lib\/x\.node$/,
  );
});

Deno.test("createBundle finds native addons that npm packages load by a computed path", async () => {
  const addon = {
    name: "addon",
    version: "1.0.0",
    optionalDependencies: { "addon-linux": "1.0.0" },
  };
  const wrapper = { name: "wrapper", version: "2.0.0", dependencies: { addon: "1.0.0" } };
  const careful = { name: "careful", version: "3.0.0", optionalDependencies: { addon: "1.0.0" } };
  const load = 'const build = "addon-" + process.platform; module.exports = () => require(build);';
  const packages = {
    "node_modules/addon/package.json": JSON.stringify(addon),
    "node_modules/addon/index.js": load,
    "node_modules/addon-linux/package.json": JSON.stringify({
      name: "addon-linux",
      version: "1.0.0",
    }),
    "node_modules/addon-linux/lib/build.node": "",
    "node_modules/wrapper/package.json": JSON.stringify(wrapper),
    "node_modules/wrapper/index.js": 'exports.native = require("addon");',
    "node_modules/careful/package.json": JSON.stringify(careful),
    "node_modules/careful/index.js":
      'try { exports.native = require("addon")(); } catch { exports.native = 0; }',
  };
  const dependencies = { wrapper: "2.0.0", careful: "3.0.0" };
  const project = { ...packages, "package.json": JSON.stringify({ dependencies }) };
  const message = await faultOf({
    ...project,
    "main.ts": 'import x from "wrapper"; export { x };',
  });
  assert.match(
    message,
    /a native addon cannot travel: main\.ts -> npm:wrapper@2\.0\.0 -> npm:addon@1\.0\.0$/,
  );
  await using able = await Project.create({
    ...project,
    "main.ts": 'import x from "careful"; export { x };',
  });
  assert.deepEqual((await able.bundle("main.ts")).manifest.exports, ["x"]);
});

Deno.test("createBundle gives the compiler's own message for a type error, and the chain", async () => {
  const files = { ...chain, "lib/b.ts": 'export const b: number = "text";' };
  const message = await faultOf(files, { check: true });
  assert.match(
    message,
    /^Cannot package main\.ts as it has a type error in main\.ts -> lib\/a\.ts -> lib\/b\.ts:\n/,
  );
  assert.match(message, /TS2322 \[ERROR\]: Type 'string' is not assignable to type 'number'\./);
  assert.match(message, /at file:\/\/<project>\/lib\/b\.ts:1:14/);
  assert.doesNotMatch(message, /Stack backtrace|Check /);
  await using project = await Project.create(files);
  await project.bundle("main.ts", { check: false });
});

Deno.test("createBundle refuses what is over the size limit, and names the largest parts", async () => {
  const files = {
    ...chain,
    "lib/b.ts": `export const b = "${"x".repeat(9000)}";`,
    "m.bin": "y".repeat(7000),
  };
  const code = await faultOf(files, { maxBytes: 8000 });
  assert.match(
    code,
    /over the size limit of 8000 bytes: it has \d+, the largest of it bundle\.js \(\d+\), lib\/b\.ts/,
  );
  const data = await faultOf({ "main.ts": "", "m.bin": "y".repeat(7000) }, {
    maxBytes: 5000,
    include: ["m.bin"],
  });
  assert.match(data, /over the size limit: its data files have 7000 bytes, "m\.bin" alone 7000/);
  const missing = await faultOf({ "main.ts": "" }, { include: ["none.bin"] });
  assert.match(missing, /its data file "none\.bin" cannot be read at <project>\/none\.bin/);
});

Deno.test("createBundle says when a configuration cannot be read", async () => {
  const message = await faultOf({ "main.ts": "", "deno.json": "{ imports" });
  assert.match(message, /<project>\/deno\.json cannot be read: /);
});

Deno.test("encodeState names the path of what cannot travel", () => {
  const state: Record<string, unknown> = { list: [{}] };
  (state.list as Record<string, unknown>[])[0]!.back = state;
  const cases: [unknown, RegExp][] = [
    [
      state,
      /^Cannot package the state of Counter as state of Counter\.list\[0\]\.back is circular$/,
    ],
    [{ on: () => 1 }, /state of Counter\.on is a function/],
    [{ done: Promise.resolve() }, /state of Counter\.done is a Promise/],
    [Symbol("s"), /state of Counter is a symbol/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => encodeState(value, "state of Counter"), (error: Error) => {
      assert.match(error.message, message);
      return error instanceof PackagingError && error.cause !== undefined;
    });
  }
  assert.ok(encodeState({ count: 1 }, "state of Counter").length > 0);
});

import assert from "node:assert/strict";
import { createBundle, lexBundle, openBundle } from "../../packaging/mod.ts";
import { importBundle, npm, Project } from "./_project.ts";

/** `export function add(a, b)`, 41 bytes of WebAssembly. */
const addWasm = Uint8Array.fromHex(
  "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b",
);

Deno.test("createBundle makes one module of local modules, JSON, text and WASM", async () => {
  await using project = await Project.create({
    "deno.json": '{ "imports": { "@lib/": "./lib/" } }',
    "lib/double.ts": "export const double = (x: number): number => 2 * x;",
    "lib/barrel.ts": 'export * from "./double.ts"; export * as again from "./double.ts";',
    "data.json": '{ "x": 3 }',
    "note.txt": "a note",
    "add.wasm": addWasm,
    "src/main.ts": `
      import { again, double } from "@lib/barrel.ts";
      import data from "../data.json" with { type: "json" };
      import note from "../note.txt" with { type: "text" };
      import { add } from "../add.wasm";
      export const later: number = await Promise.resolve(4);
      export const lazy = async (): Promise<number> => (await import("./lazy.ts")).value;
      export const sum: number = add(double(data.x), again.double(later));
      export { note };`,
    "src/lazy.ts": "export const value = 5;",
  });
  const bundle = await project.bundle("src/main.ts");
  const { later, lazy, sum, note } = await importBundle(bundle);
  assert.deepEqual([later, sum, note], [4, 14, "a note"]);
  assert.equal(await (lazy as () => Promise<number>)(), 5);
  assert.deepEqual((await lexBundle(bundle.code)).imports, []);
  assert.equal(bundle.manifest.entry, "src/main.ts");
  assert.deepEqual(bundle.manifest.exports, ["later", "lazy", "note", "sum"]);
  assert.deepEqual(bundle.manifest.modules.map(({ name }) => name), [
    "add.wasm",
    "data.json",
    "lib/barrel.ts",
    "lib/double.ts",
    "note.txt",
    "src/lazy.ts",
    "src/main.ts",
  ]);
  const wasm = bundle.manifest.modules[0]!;
  assert.deepEqual([wasm.kind, wasm.size], ["local", addWasm.length]);
  assert.equal((await openBundle(bundle.bytes)).digest, bundle.digest);
});

Deno.test("createBundle takes npm packages along, with the built-in modules that they use", async () => {
  await using project = await Project.create({
    "deno.json": JSON.stringify({
      imports: { "cli-progress": npm("cli-progress"), yaml: npm("yaml") },
    }),
    "main.ts": `
      import { EventEmitter as Emitter, once } from "node:events";
      import path, { join } from "node:path";
      import * as util from "node:util";
      import { parse } from "yaml";
      import progress from "cli-progress";
      export const emitted = async (): Promise<unknown[]> => {
        const emitter = new Emitter();
        queueMicrotask(() => emitter.emit("x", 7));
        return await once(emitter, "x");
      };
      export const paths = [path.basename(join("a", "b")), util.format("%d", 3), util.default === util];
      export const dynamic = (await import("node:path")).sep;
      export const document = parse("a: [1, 2]");
      export const bar = typeof progress.SingleBar;`,
  });
  const bundle = await project.bundle("main.ts");
  assert.deepEqual((await lexBundle(bundle.code)).imports, []);
  const exports = await importBundle(bundle);
  assert.deepEqual(await (exports.emitted as () => Promise<unknown[]>)(), [7]);
  assert.deepEqual(exports.paths, ["b", "3", false]);
  assert.deepEqual(exports.document, { a: [1, 2] });
  assert.deepEqual([exports.bar, exports.dynamic], ["function", "/"]);
  const packages = bundle.manifest.modules.filter(({ kind }) => kind === "npm");
  assert.ok(packages.some(({ name }) => /^npm:\/cli-progress@\d+\.\d+\.\d+\/.*\.js$/.test(name)));
  assert.ok(packages.every(({ size, sha256 }) => size > 0 && sha256.length === 64));
});

Deno.test("createBundle takes remote modules along", async () => {
  const files: Record<string, string> = {
    "/lib.ts": 'export { value } from "./deep.ts";',
    "/deep.ts": "export const value: number = 42;",
  };
  const headers = { "content-type": "application/typescript" };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const text = files[new URL(request.url).pathname];
    return new Response(text ?? "none", { headers, status: text === undefined ? 404 : 200 });
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  await using project = await Project.create({
    "main.ts": `export { value } from "${origin}/lib.ts";`,
  });
  const bundle = await project.bundle("main.ts");
  assert.equal((await importBundle(bundle)).value, 42);
  const remote = bundle.manifest.modules.find(({ name }) => name === `${origin}/deep.ts`)!;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(files["/deep.ts"]));
  assert.deepEqual(remote, {
    name: `${origin}/deep.ts`,
    kind: "remote",
    size: files["/deep.ts"]!.length,
    sha256: new Uint8Array(digest).toHex(),
  });
  const whole = await createBundle(`${origin}/lib.ts`);
  assert.equal(whole.manifest.entry, `${origin}/lib.ts`);
  assert.equal((await importBundle(whole)).value, 42);
});

Deno.test("createBundle resolves npm packages through package.json", async () => {
  await using project = await Project.create({
    "package.json": JSON.stringify({
      type: "module",
      dependencies: { yaml: npm("yaml").replace("npm:yaml@", "") },
    }),
    "src/main.js": 'import { stringify } from "yaml"; export const text = stringify({ a: 1 });',
  });
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "-q"], cwd: project.path });
  assert.ok((await install.output()).success);
  const bundle = await project.bundle("src/main.js");
  assert.equal((await importBundle(bundle)).text, "a: 1\n");
  const kinds = new Set(bundle.manifest.modules.map(({ kind }) => kind));
  assert.deepEqual(kinds, new Set(["npm", "local"]));
  assert.ok(!bundle.code.includes("node_modules"));
});

Deno.test("createBundle resolves TypeScript's paths, beside the project's own import map", async () => {
  await using project = await Project.create({
    "deno.json": `{
      // comments are allowed
      "imports": { "yaml": "${npm("yaml")}", "own/": "./own/", },
      "compilerOptions": { "paths": { "@/*": ["./missing/*", "./src/*"], "exact": ["./src/exact.ts"] } }
    }`,
    "src/a.ts": 'export { b } from "@/deep/b"; export { exact } from "exact";',
    "src/deep/b.ts": 'export { own } from "own/own.ts"; export const b = 1;',
    "src/exact.ts": 'import { parse } from "yaml"; export const exact: number = parse("2");',
    "own/own.ts": "export const own = 3;",
    "main.ts": 'export * from "@/a.ts";',
  });
  const { b, exact } = await importBundle(await project.bundle("main.ts", { check: true }));
  assert.deepEqual([b, exact], [1, 2]);
});

Deno.test("createBundle maps stack traces to the user's files and lines", async () => {
  await using project = await Project.create({
    "lib/fail.ts":
      "interface Unused {\n  a: number;\n}\n\nexport function fail(): never {\n  throw new Error('x');\n}\n",
    "main.ts":
      'import { fail } from "./lib/fail.ts";\nimport {\n  sep,\n  join,\n} from "node:path";\nexport const run = (): string => fail() + sep + join("a");\n',
  });
  const bundle = await project.bundle("main.ts");
  const path = `${project.path}/bundle.js`;
  await Deno.writeTextFile(path, bundle.code);
  const program = `import { run } from ${JSON.stringify(`file://${path}`)};
    try { run(); } catch (error) { console.log(error.stack); }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-remote", "--no-npm", `data:text/javascript,${encodeURIComponent(program)}`],
    env: { NO_COLOR: "1" },
  });
  const stack = new TextDecoder().decode((await child.output()).stdout);
  assert.match(stack, /at fail \(bundle:\/\/\/lib\/fail\.ts:6:9\)/);
  assert.match(stack, /at run \(bundle:\/\/\/main\.ts:6:34\)/);
});

Deno.test("createBundle refuses options and entries that break their rules", async () => {
  const entry = "file:///nowhere/main.ts";
  const cases: [string | URL, unknown, RegExp][] = [
    ["main.ts", {}, /entry must be a URL: current value is "main.ts"/],
    ["data:text/javascript,1", {}, /entry must be a file: or http\(s\): URL/],
    [new URL("../../core/node.ts", import.meta.url), {}, /the SDK is already there/],
    [entry, { include: ["../secret"] }, /data file's name/],
    [entry, { include: ["/etc/passwd"] }, /data file's name/],
    [entry, { include: { x: "https://example.com/x" } }, /must be a local one/],
    [entry, { permissions: { net: ["https://example.com"] } }, /permissions\.net\.0/],
    [entry, { permissions: { net: ["host:70000"] } }, /permissions\.net\.0/],
    [entry, { permissions: { read: ["relative"] } }, /permissions\.read\.0/],
    [entry, { permissions: { read: ["/data/../etc"] } }, /permissions\.read\.0/],
    [entry, { permissions: { env: ["A=B"] } }, /permissions\.env\.0/],
    [entry, { permissions: { run: ["sh"] } }, /permissions\.run/],
    [entry, { minify: true }, /no option "minify"/],
  ];
  for (const [url, options, message] of cases) {
    await assert.rejects(createBundle(url, options as object), (error: Error) => {
      assert.match(error.message, message);
      return error instanceof TypeError || error instanceof RangeError;
    });
  }
});

Deno.test("createBundle writes down permissions, sorted and once", async () => {
  await using project = await Project.create({ "main.js": "export {};" });
  const permissions = { net: ["b.example:443", "[::1]:80", "b.example:443"], env: ["HOME"] };
  const { manifest } = await project.bundle("main.js", { permissions });
  assert.deepEqual(manifest.permissions, {
    net: ["[::1]:80", "b.example:443"],
    read: [],
    env: ["HOME"],
  });
});

Deno.test("createBundle ends its children when it is aborted, even one that hangs", async () => {
  // Nobody ever accepts: Deno waits for a remote module without end.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using project = await Project.create({
    "hangs.ts": `export * from "http://127.0.0.1:${silent.addr.port}/x.ts";`,
    "main.ts": `import { parse } from "${npm("yaml")}"; export { parse };`,
  });
  const reason = new Error("enough");
  for (const [name, delayMs] of [["hangs.ts", 300], ["main.ts", 0], ["main.ts", 20]] as const) {
    const stop = new AbortController();
    const started = project.bundle(name, { signal: stop.signal });
    setTimeout(() => stop.abort(reason), delayMs);
    const late = deadline(20_000);
    await assert.rejects(Promise.race([started, late.passed]), reason);
    late.cancel();
    assert.deepEqual(await childrenWith(project.path), []);
  }
  await assert.rejects(project.bundle("main.ts", { signal: AbortSignal.abort(reason) }), reason);
  await project.bundle("main.ts");
});

function deadline(ms: number): { passed: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return { passed: promise, cancel: () => clearTimeout(timer) };
}

/** Processes whose command line names a folder. */
async function childrenWith(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (line.includes(folder)) found.push(line);
  }
  return found;
}

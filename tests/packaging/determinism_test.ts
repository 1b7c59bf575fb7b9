import assert from "node:assert/strict";
import { join } from "node:path";
import { npm, Project } from "./_project.ts";

/** A project with all that could let a path slip in: folders' names, npm in CommonJS, a module above the entry. */
const files = {
  "deno.json": JSON.stringify({
    imports: { "cli-progress": npm("cli-progress"), "#up": "./index.ts" },
  }),
  "index.ts": "export default class {}\nexport const up = () => new Error().stack;",
  "shared/index.js": "import p from 'cli-progress'; export default [p, import.meta.url];",
  "app/index.ts": `
    import Up, * as all from "#up";
    import shared from "../shared/index.js";
    import json from "./data.json" with { type: "json" };
    export const lazy = () => import("../index.ts");
    export default [Up, all, shared, json];`,
  "app/data.json": "[1]",
  "app/weights.bin": new Uint8Array([1, 2, 3]),
};

Deno.test("createBundle gives the same bytes for the same sources in any folder", async () => {
  await using one = await Project.create(files);
  await using other = await Project.create({ "elsewhere/deep/inside/note": "" });
  const copied = join(other.path, "elsewhere/deep/inside");
  for (const [name, content] of Object.entries(files)) {
    await other.write(`elsewhere/deep/inside/${name}`, content);
  }
  const options = { include: ["weights.bin"], permissions: { net: ["example.com"] } };
  const here = await one.bundle("app/index.ts", options);
  const there = await other.bundle("elsewhere/deep/inside/app/index.ts", options);
  assert.equal(there.digest, here.digest);
  assert.deepEqual(there.bytes, here.bytes);
  assert.notEqual(there.root?.href, here.root?.href);
  await Deno.remove(copied, { recursive: true });
});

Deno.test("createBundle gives the same bytes through a link to the project", async () => {
  await using project = await Project.create(files);
  await using links = await Project.create({});
  await Deno.symlink(project.path, join(links.path, "link"));
  const linked = await links.bundle("link/app/index.ts");
  assert.equal(linked.digest, (await project.bundle("app/index.ts")).digest);
});

Deno.test("createBundle lets nothing of this machine into the archive", async () => {
  await using project = await Project.create(files);
  const { bytes } = await project.bundle("app/index.ts");
  const text = new TextDecoder().decode(bytes);
  const [, encoded] = /base64,(\S+)\n/.exec(text)!;
  const map = new TextDecoder().decode(Uint8Array.fromBase64(encoded!));
  const home = Deno.env.get("HOME")!;
  const { denoDir } = JSON.parse(await output("info", "--json")) as { denoDir: string };
  for (const secret of [project.path, denoDir, `${home}/`, denoDir.slice(1), Deno.hostname()]) {
    assert.ok(!text.includes(secret), `the archive has ${secret}`);
    assert.ok(!map.includes(secret), `the source map has ${secret}`);
  }
  const { sources } = JSON.parse(map) as { sources: string[] };
  assert.deepEqual(sources.filter((source) => !source.startsWith("npm:/")).sort(), [
    "bundle:///app/data.json",
    "bundle:///app/index.ts",
    "bundle:///index.ts",
    "bundle:///shared/index.js",
  ]);
});

async function output(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("createBundle gives the same bytes with another cache folder of Deno", async () => {
  const { denoDir, npmCache } = JSON.parse(await output("info", "--json")) as {
    denoDir: string;
    npmCache: string;
  };
  const before = Deno.env.get("DENO_DIR");
  await using project = await Project.create(files);
  await using elsewhere = await Project.create({});
  const here = await project.bundle("app/index.ts");
  assert.ok(npmCache.startsWith(denoDir));
  // the package of the project and those that it needs, so that nothing is fetched
  const packages = here.manifest.modules.filter(({ kind }) => kind === "npm")
    .map(({ name }) => /^npm:\/((?:@[^/]+\/)?[^/@]+)/.exec(name)![1]!);
  for (const { name: registry } of Deno.readDirSync(npmCache)) {
    for (const name of new Set(packages)) {
      const to = join(elsewhere.path, "npm", registry, name);
      await Deno.mkdir(join(to, ".."), { recursive: true });
      const copy = new Deno.Command("cp", { args: ["-r", join(npmCache, registry, name), to] });
      assert.ok((await copy.output()).success);
    }
  }
  try {
    Deno.env.set("DENO_DIR", elsewhere.path);
    // another limit makes it another request, so that nothing is recalled
    const there = await project.bundle("app/index.ts", { maxBytes: 100_000_000 });
    assert.deepEqual(there.bytes, here.bytes);
    assert.ok([...Deno.readDirSync(elsewhere.path)].length > 1, "the folder was used");
  } finally {
    if (before === undefined) Deno.env.delete("DENO_DIR");
    else Deno.env.set("DENO_DIR", before);
  }
});

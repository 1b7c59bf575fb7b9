import { deepEqual, equal, ok } from "node:assert/strict";
import { requiredDeno } from "../core/runtime.ts";

/** What each folder may import from, beside itself. */
const layers: Record<string, readonly string[]> = {
  core: [],
  nodes: ["core"],
  packaging: ["core"],
  testing: ["core"],
  remote: ["core", "nodes", "packaging", "proto"],
};

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.isFile) yield path;
  }
}

Deno.test("Imports go one way: core <- nodes, packaging <- remote", async () => {
  const wrong: string[] = [];
  for (const [folder, allowed] of Object.entries(layers)) {
    for await (const path of filesBelow(folder)) {
      if (!path.endsWith(".ts")) continue;
      const source = await Deno.readTextFile(path);
      const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, ""); // examples in comments import what they like
      for (const [, specifier] of code.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const target = new URL(specifier!, `file:///${path}`).pathname.split("/")[1]!;
        // nodes that run source text or foreign bytes load their sandbox when they open
        const loadsSandbox = path.startsWith("nodes/code/") &&
          (target === "remote" || target === "packaging");
        const isOwn = target === folder || target === "deno.json";
        if (!isOwn && !loadsSandbox && !allowed.includes(target)) {
          wrong.push(`${path} imports ${specifier}`);
        }
      }
    }
  }
  deepEqual(wrong, []);
});

Deno.test("Every npm version is pinned exactly, and no file names a registry's host", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile("deno.json"));
  for (const [name, target] of Object.entries<string>(imports)) {
    ok(
      target.startsWith("./") || /@\d+\.\d+\.\d+(-[\w.]+)?(\/.*)?$/.test(target),
      `${name}: ${target}`,
    );
  }
  const { stdout } = await new Deno.Command("git", { args: ["ls-files"] }).output();
  const hosts = new RegExp(
    ["registry\\.npmjs", "npm\\.jsr", "pypi\\.org", "proxy\\.golang"].join("|"),
  );
  for (const path of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (
      path === "tests/architecture_test.ts" ||
      !/\.(ts|js|json|lock|ya?ml|md|toml|py)$|file$|run$/.test(path)
    ) continue;
    ok(!hosts.test(await Deno.readTextFile(path)), `${path} names a registry's host`);
  }
});

Deno.test("Deno's version is the same in README, Dockerfile, CI and the file that the code checks", async () => {
  for (const path of ["README.md", "Dockerfile", ".ci/run"]) {
    const found = [...(await Deno.readTextFile(path)).matchAll(/deno@(\d+\.\d+\.\d+)/g)];
    ok(found.length > 0, path);
    for (const [, version] of found) equal(version, requiredDeno, path);
  }
});

Deno.test("README is at most 150 lines", async () => {
  ok((await Deno.readTextFile("README.md")).split("\n").length <= 150);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { type Manifest, NodeRegistry, parseManifest } from "../../core/mod.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { serve } from "../../remote/server/mod.ts";
import { type Block, blocksOf, pages, root } from "./_markdown.ts";
import { commandsOf, faultOf } from "./_shell.ts";

/** Who runs or checks what is written in a language. */
const languages: Record<string, string> = {
  ts: "deno test --doc",
  sh: "the tests below, by what each command is",
  yaml: "the tests below",
  json: "the tests below",
  text: "nobody: it is what a program prints, or a drawing",
  python: "nobody: it shows how it was elsewhere",
  mermaid: "GitHub draws it",
  dockerfile: "the test of the Dockerfile",
};

/** Blocks of TypeScript that are not run, with the reason. */
const notRun: readonly (readonly [path: string, beginning: string, reason: string])[] = [
  [
    "docs/writing_nodes.md",
    "export class PeakHold",
    "part of a module: examples/03_own_node.ts is whole",
  ],
  ["docs/getting_started.md", "// pauses.ts", "tests/docs/getting_started_test.ts runs it"],
  ["docs/getting_started.md", "// pauses_test.ts", "tests/docs/getting_started_test.ts runs it"],
  [
    "docs/remote_execution.md",
    "export class Loudness",
    "part of a module: examples/03_own_node.ts is whole",
  ],
];

const registry = new NodeRegistry(builtinNodes);

async function allBlocks(): Promise<Block[]> {
  return (await pages()).flatMap(blocksOf);
}

Deno.test("Every block in the documentation is in a language that somebody runs or checks", async () => {
  const blocks = await allBlocks();
  ok(blocks.length > 80, `${blocks.length} blocks were found`);
  const unknown = blocks.filter(({ language }) => !Object.hasOwn(languages, language));
  deepEqual(unknown.map(({ at }) => at), []);
  const left = blocks.filter(({ language, rest }) => language === "ts" && /ignore/.test(rest));
  const known = ({ path, text }: Block) =>
    notRun.some(([file, beginning]) => file === path && text.startsWith(beginning));
  deepEqual(left.filter((block) => !known(block)).map(({ at }) => at), []);
  equal(left.length, notRun.length, "a block is not left out any more: take it off the list");
});

Deno.test("deno test --doc finds the TypeScript of the documentation, in CI and in the full gate", async () => {
  const { tasks, exclude } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  ok(/deno test -A --doc( --quiet)?$/.test(tasks.test.command));
  ok(/"test", "-A", "--doc"/.test(await Deno.readTextFile(`${root}tasks/ok.ts`)));
  deepEqual(exclude.filter((path: string) => /docs|examples|README/.test(path)), []);
});

Deno.test("TypeScript in the documentation prints what the comments behind console.log say", async () => {
  const blocks = (await allBlocks()).filter(({ language, rest, text }) =>
    language === "ts" && rest === "" && /console\.log\(.*\/\/ /.test(text)
  );
  ok(blocks.length > 8, `${blocks.length} blocks were found`);
  const folder = await Deno.makeTempDir({ prefix: "blocks_" });
  try {
    const paths = await Promise.all(blocks.map(async ({ text }, index) => {
      const path = `${folder}/${index}.ts`;
      // modules that a page names are beside it
      await Deno.writeTextFile(path, text.replaceAll('"../examples/', `"${root}examples/`));
      return path;
    }));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `--config=${root}deno.json`].concat(
        `${root}tests/docs/_run_blocks.ts`,
        paths,
      ),
      cwd: root,
    }).output();
    equal(code, 0, new TextDecoder().decode(stderr));
    const logged = JSON.parse(new TextDecoder().decode(stdout)) as string[][];
    const bare = (text: string) => text.replaceAll(/\s/g, "");
    const wrong = blocks.flatMap(({ at, text }, index) => {
      const lines = logged[index]!.map(bare);
      return [...text.matchAll(/console\.log\(.*?\/\/ (.+)$/gm)].map(([, told]) => bare(told!))
        .filter((told) => !lines.includes(told) && lines.join(",") !== told)
        .map((told) => `${at} says ${told} and prints ${lines}`);
    });
    deepEqual(wrong, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Every YAML and JSON block in the documentation is what it says", async () => {
  const faults: string[] = [];
  for (const { at, path, language, text } of await allBlocks()) {
    if (!["yaml", "json"].includes(language)) continue;
    try {
      if (language === "json") JSON.parse(text);
      else checkYaml(path, text);
    } catch (error) {
      faults.push(`${at}: ${(error as Error).message}`);
    }
  }
  deepEqual(faults, []);
});

/** A manifest is parsed as such; of docs/nodes.md, each list must name a type and options that it has. */
function checkYaml(path: string, text: string): void {
  const documents = parseAllDocuments(text);
  for (const document of documents) {
    if (document.errors.length > 0) throw document.errors[0];
  }
  const [value] = documents.map((document) => document.toJS());
  if (value?.version === 1) parseManifest(text, { registry });
  if (path !== "docs/nodes.md") return;
  for (const { type, options = {} } of value as Manifest["nodes"]) {
    ok(registry.get(type!) !== undefined, `there is no ${type}`);
    deepEqual(Object.keys(options).filter((name) => !text.includes(`${name}:`)), []);
  }
}

Deno.test("Every shell command in the documentation is one that there is", async () => {
  const faults: string[] = [];
  let count = 0;
  for (const { at, language, text } of await allBlocks()) {
    if (language !== "sh") continue;
    for (const command of commandsOf(text)) {
      count++;
      const fault = faultOf(command);
      if (fault !== undefined) faults.push(`${at}: ${command}: ${fault}`);
    }
  }
  ok(count > 10, `${count} commands were found`);
  deepEqual(faults, []);
});

Deno.test("The command lines in README, examples/README.md and docs/remote_execution.md run", async () => {
  await using server = await serve({ port: 0, userCode: false });
  const folder = await Deno.makeTempDir({ prefix: "docs_" });
  const here = ["README.md", "examples/README.md", "docs/remote_execution.md"];
  const commands = (await allBlocks()).flatMap(({ path, language, text }) =>
    here.includes(path) && language === "sh" ? commandsOf(text) : []
  );
  const lines = new Set(commands.filter((command) => /^deno task cli (?!serve)/.test(command)));
  ok(lines.size >= 3, `${lines.size} command lines were found`);
  try {
    for (const line of lines) {
      const args = line.replace(":50052", `:${server.port}`).split(" ").slice(3)
        .map((word) => /^(examples|tests)\//.test(word) ? root + word : word);
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", `--config=${root}deno.json`, `${root}cli.ts`, ...args],
        cwd: folder,
        stdout: "null",
      }).output();
      equal(code, 0, `${line}: ${new TextDecoder().decode(stderr)}`);
    }
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    deepEqual(left, ["graph.svg", "speech.jsonl"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

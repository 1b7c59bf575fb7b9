import { equal, match, ok } from "node:assert/strict";
import { blocksOf } from "../docs/_markdown.ts";

const root = new URL("../../", import.meta.url).pathname;

const page = {
  path: "examples/README.md",
  text: await Deno.readTextFile(`${root}examples/README.md`),
};
const told = blocksOf(page).filter(({ language }) => language === "text").map(({ text }) => text);

const expected = ["1.25 s to 3.90 s", "5.70 s to 12.41 s", "14.34 s to 19.26 s"];

for (const name of ["01_local_pipeline.ts", "02_remote_node.ts"]) {
  Deno.test(`examples/${name} runs and finds the three sentences`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `${root}examples/${name}`],
      stdout: "piped",
      stderr: "piped",
    }).output();
    equal(code, 0, new TextDecoder().decode(stderr));
    const lines = new TextDecoder().decode(stdout).split("\n");
    equal(told[Number(name.slice(0, 2)) - 1], lines.slice(0, 3).join("\n"), "examples/README.md");
    for (const [index, line] of expected.entries()) {
      const numbers = (text: string) => text.match(/[\d.]+/g)!.map(Number);
      const [start, end] = numbers(lines[index]!);
      const [wantedStart, wantedEnd] = numbers(line);
      ok(Math.abs(start! - wantedStart!) < 0.1 && Math.abs(end! - wantedEnd!) < 0.1, lines[index]!);
    }
  });
}

for (
  const [name, wanted] of [
    ["03_own_node.ts", /^Loudest at 15\.5 s: -19\.6 dBFS\n$/],
    ["04_remote_module.ts", /^mean 3\ncounter 15\ndown 15\ndown 14\ndown 13\n$/],
  ] as const
) {
  Deno.test(`examples/${name} runs its own code on a server`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `${root}examples/${name}`],
      stdout: "piped",
      stderr: "piped",
    }).output();
    equal(code, 0, new TextDecoder().decode(stderr));
    match(new TextDecoder().decode(stdout), wanted);
    const text = told[Number(name.slice(0, 2)) - 1];
    equal(text, new TextDecoder().decode(stdout).trimEnd(), "examples/README.md");
  });
}

import { equal, match, ok } from "node:assert/strict";

const root = new URL("../../", import.meta.url).pathname;

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
  });
}

import { equal } from "node:assert/strict";
import { isInstalled, type Program } from "../../tasks/system_packages.ts";

export const root: string = new URL("../../", import.meta.url).pathname;

/** What an example left. */
export interface Left {
  /** Its standard output. */
  out: string;
  /** The folder in which it ran. */
  folder: string;
  /** A file below its folder, as text. */
  read(path: string): Promise<string>;
}

/** A test of an example, which runs in an empty folder; left out, with the reason, where a program is missing. */
export function exampleTest(
  what: string,
  { example, args = [], needs = [] }: {
    example: string;
    args?: readonly string[];
    needs?: readonly Program[];
  },
  check: (left: Left) => void | Promise<void>,
): void {
  const missing = needs.filter((program) => !isInstalled(program));
  if (missing.length > 0) console.warn(`examples/${example} is not run: no ${missing.join(", ")}`);
  Deno.test({
    name: `examples/${example} ${what}`,
    ignore: missing.length > 0,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "example_" });
      try {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", `--config=${root}deno.json`, `${root}examples/${example}`, ...args],
          cwd: folder,
          env: { NO_COLOR: "1" },
          stdout: "piped",
          stderr: "piped",
        }).output();
        equal(code, 0, new TextDecoder().decode(stderr));
        const read = (path: string) => Deno.readTextFile(`${folder}/${path}`);
        await check({ out: new TextDecoder().decode(stdout), folder, read });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Whether two numbers differ by no more than `by`. */
export function near(a: number, b: number, by: number): boolean {
  return Math.abs(a - b) <= by;
}

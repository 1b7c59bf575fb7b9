import { equal } from "node:assert/strict";

export const root: string = new URL("../../", import.meta.url).pathname;
export const recording: string = `${root}tests/testdata/conversation.wav`;

/** What a command line gave. */
export interface Result {
  code: number;
  out: string;
  err: string;
}

/** Starts a command line in a process of its own. */
export function start(
  args: readonly string[],
  { cwd = root, stdin = "null" as "null" | "piped" } = {},
) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${root}deno.json`, `${root}cli.ts`, ...args],
    cwd,
    stdin,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Runs a command line to its end. No stack trace may come out of any. */
export async function cli(args: readonly string[], cwd: string = root): Promise<Result> {
  const { code, stdout, stderr } = await start(args, { cwd }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  equal(/^\s+at .*:\d+:\d+/m.test(err!), false, err!);
  return { code, out: out!, err: err! };
}

/** A folder that is gone at the end, with these files. */
export async function folder(files: Record<string, string> = {}) {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

export const upper = `version: 1
name: upper
nodes:
  - { id: up, type: TextTransform, options: { case: upper } }
`;

export const slow = `version: 1
name: slow
nodes:
  - { id: wait, type: Throttle, options: { perMs: 20 } }
  - { id: up, type: TextTransform, options: { case: upper } }
`;

/** The full gate: every check of style and of truth, one after another; stops at the first that fails. */
import { ensurePrograms, type Program } from "./system_packages.ts";

const programs: Program[] = [
  "ffmpeg",
  "ffprobe",
  "sox",
  "espeak-ng",
  "bwrap",
  "pocketsphinx_continuous",
];

const deno = (...args: string[]) => [Deno.execPath(), ...args];
const steps: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["fmt", deno("fmt", "--check", "--quiet")],
  ["lint", deno("lint", "--quiet")],
  ["check", deno("check", "--quiet", ".")],
  ["doc --lint", deno("doc", "--lint", ...entryPoints())],
  ["generated code is what proto/ says", deno("run", "-A", "tasks/proto.ts", "--check")],
  [
    "the sandbox's guest is what core says",
    deno("run", "-A", "remote/sandbox/generate.ts", "--check"),
  ],
  ["test, with the examples in the docs", deno("test", "-A", "--doc", "--quiet")],
  ["publish --dry-run", deno("publish", "--dry-run", "--allow-dirty", "--quiet")],
];

function entryPoints(): string[] {
  const { exports } = JSON.parse(Deno.readTextFileSync("deno.json"));
  return Object.values<string>(exports);
}

await ensurePrograms(programs);
for (const [name, [program, ...args]] of steps) {
  console.log(`— ${name}`);
  const isQuiet = name === "doc --lint"; // it prints all docs beside what is wrong with them
  const { success } = await new Deno.Command(program!, {
    args,
    stdout: isQuiet ? "null" : "inherit",
    stderr: "inherit",
  }).output();
  if (!success) {
    console.error(`Not ok: ${name}`);
    Deno.exit(1);
  }
}
console.log("All ok");

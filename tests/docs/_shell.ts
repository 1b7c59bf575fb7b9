import type { Command } from "commander";
import { createProgram } from "../../cli/mod.ts";
import config from "../../deno.json" with { type: "json" };
import { settingsHelp } from "../../remote/server/config.ts";
import { root } from "./_markdown.ts";

/** Commands that are not run here, and what stands for it. */
const notRun: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^(docker|podman) /, "needs a container engine; tests/e2e builds what the Dockerfile says"],
  [/^(kubectl|helm|minikube|kind) /, "needs a cluster; the files of deploy/ are parsed"],
  [/^(sudo |apt-get |brew )/, "changes the machine; tasks/system_packages.ts does the same for CI"],
  [/^systemctl |^journalctl /, "needs systemd"],
  [/^python3 -m venv |^\.venv\/bin\//, "tests/remote/python_client_test.ts does it"],
  [/^gst-launch-1\.0 /, "shows how it was elsewhere"],
  [/^grpcurl /, "tests/remote/grpcurl_test.ts runs it where it is there"],
  [
    /^(curl|openssl|export|cd|mkdir|cat|ls|echo|cp|mv|kill|git|source|umask|chmod|head|cmp) ?/,
    "no command of ours",
  ],
];

/** The commands of a block: a line each, comments and prompts left out. */
export function commandsOf(text: string): string[] {
  return text.replaceAll(/ *\\\n */g, " ").split("\n")
    .map((line) => line.replace(/^\$ /, "").replace(/(^| )#.*$/, "").replace(/ *&$/, "").trim())
    .filter((line) => line !== "")
    .flatMap((line) => line.split(/ *(?:&&|\|\||[|;]) +/));
}

/** What is wrong with a command; `undefined` if nothing is. */
export function faultOf(command: string): string | undefined {
  const words = (command.replace(/^(?:[A-Z_]+=\S* +)+/, "").match(/"[^"]*"|'[^']*'|\S+/g) ?? [])
    .map((word) => word.replaceAll(/["']/g, ""));
  const [program, ...args] = words;
  if (program === "npx" && /^deno@/.test(args[1] ?? "")) return denoFault(args.slice(2));
  if (program === "deno") return denoFault(args);
  if (program === "remotemedia") return cliFault(args);
  if (notRun.some(([pattern]) => pattern.test(command))) return undefined;
  return "nobody knows how to check it: see tests/docs/_shell.ts";
}

function denoFault([command, ...args]: string[]): string | undefined {
  if (command === "task") {
    const [name = "", ...rest] = args.filter((word) => word !== "-q");
    if (
      !Object.hasOwn(config.tasks, name) && !["run", "test", "check", "remotemedia"].includes(name)
    ) {
      return `there is no task ${name}`;
    }
    if (name === "cli" || name === "remotemedia") return cliFault(rest);
    return name === "serve" ? serveFault(rest) : undefined;
  }
  if (command === "run" || command === "test" || command === "check") {
    return args.filter((word) => /^(?!https?:)[\w./-]+\.ts$/.test(word)).map((path) =>
      isThere(path) ? undefined : `there is no ${path}`
    ).find((fault) => fault !== undefined);
  }
  return ["install", "cache", "fmt", "lint"].includes(command ?? "")
    ? undefined
    : `deno ${command} is not known here`;
}

/** Whether the command line has such a command with such options. */
function cliFault([name = "", ...args]: string[]): string | undefined {
  if (name === "serve") return serveFault(args);
  let command: Command | undefined = createProgram().commands.find((each) =>
    each.name() === name || each.aliases().includes(name)
  );
  if (command === undefined) return `there is no command ${name}`;
  const inner = command.commands.find((each) => each.name() === args[0]);
  if (inner !== undefined) command = inner;
  const known = command.options.flatMap(({ long, short }) => [long, short]);
  const wrong = args.map((word) => word.split("=")[0]!).find((word) =>
    /^-{1,2}[a-z]/.test(word) && !known.includes(word) && word !== "--help"
  );
  if (wrong !== undefined) return `${name} has no option ${wrong}`;
  const file = args.find((word) => /^(examples|docs|tests)\/.*\.\w+$/.test(word));
  return file === undefined || isThere(file) ? undefined : `there is no ${file}`;
}

function serveFault(args: string[]): string | undefined {
  const known = settingsHelp().map(({ flag }) => flag);
  const wrong = args.map((word) => word.split("=")[0]!).find((word) =>
    word.startsWith("--") && !known.includes(word) &&
    !["--config", "--print-config", "--help"].includes(word)
  );
  return wrong === undefined ? undefined : `serve has no setting ${wrong}`;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(`${root}${path}`).isFile;
  } catch {
    return /^\w+\.ts$/.test(path); // a file of the reader's own
  }
}

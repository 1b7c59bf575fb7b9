/** Writes what the documentation takes from the code: `docs/nodes.md`, `docs/cli.md`, `docs/manifest.schema.json`. */

import type { Command } from "commander";
import { exampleOf, optionRows } from "../cli/nodes.ts";
import { createProgram } from "../cli/mod.ts";
import { exitCodes } from "../cli/exit_codes.ts";
import { clientVariables } from "../cli/remote_client.ts";
import { manifestJsonSchema, NodeRegistry, optionsJsonSchema } from "../core/mod.ts";
import { builtinNodes } from "../nodes/mod.ts";
import { settingsHelp } from "../remote/server/config.ts";
import { nodeDocs } from "./node_docs.ts";

const notice = "<!-- Written by `deno run -A tasks/docs.ts`: do not edit. -->";

/** The generated files of the documentation, by path. */
export function generatedDocs(): Record<string, string> {
  const registry = new NodeRegistry(builtinNodes);
  return {
    "docs/nodes.md": nodesPage(registry),
    "docs/cli.md": cliPage(createProgram()),
    "docs/manifest.schema.json": `${JSON.stringify(manifestJsonSchema(registry), undefined, 2)}\n`,
  };
}

/** What each folder of nodes is called. */
const folders: Record<string, string> = {
  audio: "audio",
  ml: "models",
  video: "video",
  text: "text",
  data: "data and flow",
  io: "in and out",
  code: "code",
};

function nodesPage(registry: NodeRegistry): string {
  const types = registry.types.toSorted();
  const docs = nodeDocs();
  const sections = types.map((type) => {
    const schema = optionsJsonSchema(registry.get(type)!);
    const rows = optionRows(schema);
    const options = rows.length === 0
      ? "It has no options."
      : mdTable([["option", "allowed", "default", "what for"], ...rows]);
    const { text } = docs.get(type)!;
    return `## ${type}\n\n${text}\n\n${options}\n\n\`\`\`yaml\n${
      exampleOf(type, schema)
    }\n\`\`\`\n`;
  });
  const rows = Object.entries(folders).map(([folder, name]) => [
    name,
    types.filter((type) => docs.get(type)!.folder === folder)
      .map((type) => `[${type}](#${type.toLowerCase()})`).join(", "),
  ]);
  return `# Nodes\n\n${notice}\n\nThe node types that come with the library, what they do, and their options. Examples in TypeScript stand above their classes in \`nodes/\`.\n\n${
    mdTable([["for", "nodes"], ...rows])
  }\n\n${sections.join("\n")}`;
}

function cliPage(program: Command): string {
  const sections = program.commands.flatMap((command) => [
    section(command, "remotemedia"),
    ...command.commands.map((each) => section(each, `remotemedia ${command.name()}`)),
  ]);
  return `# The command line\n\n${notice}\n\n${program.description()} \`deno task cli\` runs it.\n\n${
    sections.join("\n")
  }\n## Environment\n\n\`\`\`text\n${clientVariables}\n\`\`\`\n\n## Exit codes\n\n\`\`\`text\n${exitCodes}\n\`\`\`\n`;
}

function section(command: Command, before: string): string {
  const help = command.createHelp();
  const rows = [
    ...command.registeredArguments.map((argument) => [
      `\`${argument.name()}\``,
      argument.description,
      "",
    ]),
    ...help.visibleOptions(command).filter(({ long }) => long !== "--help").map((option) => [
      `\`${option.flags}\``,
      option.description,
      isEmpty(option.defaultValue) ? "" : `\`${option.defaultValue}\``,
    ]),
  ];
  const isServe = command.name() === "serve";
  const table = isServe
    ? `\n${settingsTable()}\n`
    : rows.length === 0
    ? ""
    : `\n${mdTable([["", "what for", "default"], ...rows])}\n`;
  return `## ${before} ${command.name()}\n\n\`${before} ${command.name()} ${command.usage()}\`\n\n${command.description()}.\n${table}`;
}

/** The settings of a server: flags come before the environment, which comes before the file. */
function settingsTable(): string {
  const rows = settingsHelp().map(({ flag, variable, description, fallback, isSwitch }) => [
    `\`${flag}${isSwitch ? "" : " <value>"}\``,
    `\`${variable}\``,
    description,
    isEmpty(fallback) ? "" : `\`${fallback}\``,
  ]);
  return mdTable([["", "in the environment", "what for", "default"], ...rows]) +
    "\n\n`--config <file>` takes them from YAML, `--print-config` prints them and ends.";
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}

function mdTable([head, ...rows]: string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head!), line(head!.map(() => "---")), ...rows.map(line)].join("\n");
}

/** As `deno fmt` would have it, so that the check and the generator agree. */
export async function formatted(text: string, ending: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", `--ext=${ending}`, "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout, success } = await child.output();
  if (!success) throw new Error("Cannot format the documentation");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(generatedDocs())) {
    await Deno.writeTextFile(path, await formatted(text, path.split(".").at(-1)!));
    console.log(path);
  }
}

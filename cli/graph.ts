import { Command, Option } from "commander";
import { ConfigurationError } from "../core/errors.ts";
import type { NodeStats } from "../core/mod.ts";
import { pictureOf } from "./draw/picture.ts";
import { toSvg } from "./draw/svg.ts";
import { toDot, toMermaid } from "./draw/text_forms.ts";
import { gather, readManifest, reasonOf } from "./manifest_file.ts";
import { print } from "./output.ts";

const forms = { svg: toSvg, mermaid: toMermaid, dot: toDot };
type Form = keyof typeof forms;
const endings: Record<string, Form> = {
  svg: "svg",
  mmd: "mermaid",
  mermaid: "mermaid",
  dot: "dot",
  gv: "dot",
};

/** `remotemedia graph`. */
export function graphCommand(): Command {
  return new Command("graph")
    .description("Draw a manifest: its nodes, where they run, options and policies")
    .argument("<manifest>", "YAML or JSON file; - is the standard input")
    .option("-o, --output <file>", "Write it there: .svg, .mmd, .dot", "-")
    .addOption(
      new Option("--as <form>", "Its form; by default as the file's name ends, else mermaid")
        .choices(Object.keys(forms)),
    )
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option("--stats <file>", "Colour it by the time spent, from run --stats-file")
    .action(async (path: string, options: GraphCommandOptions) => {
      const { output, stats, set } = options;
      const form = options.as ?? endings[output.split(".").at(-1)!] ?? "mermaid";
      const picture = pictureOf(await readManifest(path, set), await readStats(stats));
      const text = forms[form](picture);
      if (output === "-") print(text.trimEnd());
      else await Deno.writeTextFile(output, text);
    });
}

interface GraphCommandOptions {
  output: string;
  as?: Form;
  set: string[];
  stats?: string;
}

async function readStats(path: string | undefined): Promise<NodeStats[]> {
  if (path === undefined) return [];
  try {
    return JSON.parse(await Deno.readTextFile(path)) as NodeStats[];
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

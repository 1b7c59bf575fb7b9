import { Command, Option } from "commander";
import { extname } from "node:path";
import { z } from "zod";
import { ConfigurationError } from "../core/errors.ts";
import type { NodeStats } from "../core/mod.ts";
import { pictureOf } from "./draw/picture.ts";
import { toSvg } from "./draw/svg.ts";
import { toDot, toMermaid } from "./draw/text_forms.ts";
import { gather, readManifest } from "./manifest_file.ts";
import { print } from "./output.ts";
import { reasonOf, writeFile } from "./files.ts";

const forms = { svg: toSvg, mermaid: toMermaid, dot: toDot };
type Form = keyof typeof forms;
const endings = new Map<string, Form>([
  [".svg", "svg"],
  [".mmd", "mermaid"],
  [".mermaid", "mermaid"],
  [".dot", "dot"],
  [".gv", "dot"],
]);

/** What a picture takes from the statistics. */
const statsSchema = z.array(
  z.object({ name: z.string(), in: z.number(), out: z.number(), busyMs: z.number() }),
);

/** `remotemedia graph`. */
export function graphCommand(): Command {
  return new Command("graph")
    .description("Draw a manifest: its nodes, where they run, options and policies")
    .argument("<manifest>", "YAML or JSON file; - is the standard input")
    .option("-o, --output <file>", "Write it there: .svg, .mmd, .dot", "-")
    .addOption(
      new Option("--as <form>", "Its form; by default as the file's name ends, mermaid without one")
        .choices(Object.keys(forms)),
    )
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option("--stats <file>", "Colour it by the time spent, from run --stats-file")
    .action(async (path: string, options: GraphCommandOptions) => {
      const { output, stats, set } = options;
      const form = options.as ?? formOf(output);
      const picture = pictureOf(await readManifest(path, set), await readStats(stats));
      const text = forms[form](picture);
      if (output === "-") print(text.trimEnd());
      else await writeFile(output, text);
    });
}

interface GraphCommandOptions {
  output: string;
  as?: Form;
  set: string[];
  stats?: string;
}

function formOf(output: string): Form {
  if (output === "-") return "mermaid";
  const form = endings.get(extname(output).toLowerCase());
  if (form !== undefined) return form;
  const known = [...endings.keys()].join(", ");
  throw new ConfigurationError(
    `Cannot write ${output} as its ending must tell the form: ${known}; or say it with --as`,
  );
}

async function readStats(path: string | undefined): Promise<NodeStats[]> {
  if (path === undefined) return [];
  let stats: unknown;
  try {
    stats = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
  if (statsSchema.safeParse(stats).success) return stats as NodeStats[];
  throw new ConfigurationError(`Cannot read ${path} as it is not what run --stats-file writes`);
}

import { Command, InvalidArgumentError, Option } from "commander";
import type { Manifest } from "../core/mod.ts";
import { buildPipeline, gather, readManifest, registry } from "./manifest_file.ts";
import { clientOf, parseAddress } from "./remote_client.ts";
import { runInputs, type RunInputsOptions } from "./run_inputs.ts";

interface RunCommandOptions extends RunInputsOptions {
  set: string[];
  remote?: string;
}

/** `remotemedia run`, also called `stream`. */
export function runCommand(): Command {
  const command = new Command("run")
    .alias("stream")
    .description("Run a manifest's pipeline over files or the standard input")
    .argument("<manifest>", "YAML or JSON file")
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option(
      "--remote <host:port>",
      "Run there what the server offers and no executor is named for; as remote takes it",
    );
  return withRunOptions(command).action(async (path: string, options: RunCommandOptions) => {
    await runInputs(options, async () => {
      const manifest = await withRemote(await readManifest(path, options.set), options.remote);
      return { manifest, path, open: () => buildPipeline(manifest, path) };
    });
  });
}

/** Adds the options of all commands that run inputs through a pipeline. */
export function withRunOptions(command: Command): Command {
  return command
    .option(
      "-i, --input <file>",
      "Media, .json, .jsonl, .csv, .txt, a folder, a pattern, or - (lines of JSON or text); may be repeated",
      gather,
      [],
    )
    .option(
      "-o, --output <file>",
      "Media, .json, .jsonl, .csv, .txt, .srt, .vtt, or - (lines of JSON); for several inputs with {name}",
    )
    .option("--stats", "Show at the end what each node did", false)
    .option("--stats-file <file>", "Write it there as JSON, for graph --stats")
    .option("--json", "Print messages as JSON, one line each", false)
    .addOption(
      new Option("--jobs <count>", "How many files are worked on at once").default(1).argParser(
        count,
      ),
    )
    .option(
      "--resume",
      "Leave out inputs whose output is there, whole, and no older than they and the manifest",
      false,
    );
}

/** Sends to a server the nodes that it offers, are not sent elsewhere and whose class is no user's own. */
export async function withRemote(
  manifest: Manifest,
  address: string | undefined,
): Promise<Manifest> {
  if (address === undefined) return manifest;
  await using client = clientOf(address);
  const offered = new Set((await client.listNodes()).map(({ type }) => type));
  const token = Deno.env.get("REMOTEMEDIA_TOKEN") ? { token: "${REMOTEMEDIA_TOKEN}" } : {};
  let name = "remote"; // the manifest may have one of that name already
  for (let count = 2; Object.hasOwn(manifest.executors ?? {}, name); count++) {
    name = `remote-${count}`;
  }
  const nodes = manifest.nodes.map((node) =>
    node.executor === undefined && offered.has(node.type ?? "") &&
      registry.get(node.type!) !== undefined
      ? { ...node, executor: name }
      : node
  );
  const executors = { ...manifest.executors, [name]: { ...parseAddress(address), ...token } };
  return { ...manifest, nodes, executors };
}

/** A whole number of at least 1, for Commander. */
export function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number of at least 1.");
}

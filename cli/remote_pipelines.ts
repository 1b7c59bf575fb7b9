import { Command } from "commander";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { RegisteredPipeline } from "../remote/client/pipeline_registry.ts";
import { readManifest } from "./manifest_file.ts";
import { print, table } from "./output.ts";
import { clientOf, serverForms } from "./remote_client.ts";
import { withRunOptions } from "./run.ts";
import { runInputs, type RunInputsOptions } from "./run_inputs.ts";

const server = ["<server>", serverForms] as const;
const address = ["<pipeline>", "NAME, NAME@VERSION or OWNER/NAME"] as const;

/** The commands of `remotemedia remote` that are about registered pipelines. */
export function remotePipelineCommands(): Command[] {
  return [list(), show(), register(), remove(), run()];
}

function list(): Command {
  return new Command("pipelines")
    .description("The pipelines that a server keeps: those of one's own, and public ones")
    .argument(...server)
    .option("--json", "Print them as JSON", false)
    .action(async (where: string, { json }: { json: boolean }) => {
      await using client = clientOf(where);
      const pipelines = await client.pipelines.list();
      print(json ? JSON.stringify(pipelines, undefined, 2) : tableOf(pipelines));
    });
}

function show(): Command {
  return new Command("show")
    .description("The manifest of a registered pipeline, which run takes too")
    .argument(...server)
    .argument(...address)
    .option("--json", "Print also what is known of it", false)
    .action(async (where: string, name: string, { json }: { json: boolean }) => {
      await using client = clientOf(where);
      const pipeline = await client.pipelines.get(name);
      print(JSON.stringify(json ? pipeline : pipeline.manifest, undefined, 2));
    });
}

function register(): Command {
  return new Command("register")
    .description("Keep a manifest's pipeline on a server; code of its modules is packaged and sent")
    .argument(...server)
    .argument("<manifest>", "YAML or JSON file")
    .option("--public", "Let others see and run it too", false)
    .action(async (where: string, path: string, options: { public: boolean }) => {
      const manifest = await readManifest(path);
      const base = path === "-" ? undefined : pathToFileURL(resolve(path));
      await using client = clientOf(where);
      const { pipelines } = client;
      const kept = await pipelines.register(manifest, { isPublic: options.public, base });
      print(`${kept.owner}/${kept.name}@${kept.version}`);
    });
}

function remove(): Command {
  return new Command("remove")
    .description("Forget a version of a pipeline; without a version all of the name")
    .argument(...server)
    .argument(...address)
    .action(async (where: string, name: string) => {
      await using client = clientOf(where);
      const count = await client.pipelines.unregister(name);
      print(`${count} ${count === 1 ? "version" : "versions"} removed`);
    });
}

function run(): Command {
  const command = new Command("run")
    .description("Run a registered pipeline over files or the standard input")
    .argument(...server)
    .argument(...address);
  return withRunOptions(command).action(
    async (where: string, name: string, options: RunInputsOptions) => {
      await using client = clientOf(where, { retry: true });
      const { pipelines } = client;
      await runInputs(options, async () => {
        const { manifest, owner, name: own, version } = await pipelines.get(name);
        const exact = `${owner}/${own}@${version}`; // one version for all inputs
        const open = () => {
          const segment = pipelines.open(exact);
          const pipeline = {
            run: (source: ReadableStream<unknown>, { signal }: { signal: AbortSignal }) => {
              void source.pipeTo(segment.writable, { signal }).catch((why) => segment.stop(why));
              return segment.readable;
            },
            stats: () => segment.stats(),
          };
          return Promise.resolve({ pipeline, close: () => Promise.resolve() });
        };
        return { manifest, open };
      });
    },
  );
}

function tableOf(pipelines: readonly RegisteredPipeline[]): string {
  if (pipelines.length === 0) return "none";
  return table([
    ["pipeline", "version", "", "runs", "errors", "last run"],
    ...pipelines.map((each) => [
      `${each.owner}/${each.name}`,
      each.version.slice(0, 12),
      [each.isNewest && "newest", each.isPublic && "public"].filter(Boolean).join(" "),
      String(each.runs),
      String(each.errors),
      each.lastRunMs === 0 ? "never" : new Date(each.lastRunMs).toISOString().slice(0, 19),
    ]),
  ]);
}

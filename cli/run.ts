import { Command, InvalidArgumentError, Option } from "commander";
import { basename, extname } from "node:path";
import { ConfigurationError, messageOf } from "../core/errors.ts";
import type { Manifest, NodeStats } from "../core/mod.ts";
import { Stop } from "./exit_codes.ts";
import { buildPipeline, gather, readManifest, registry } from "./manifest_file.ts";
import { expandInputs, openInput } from "./media/inputs.ts";
import { openOutput } from "./media/outputs.ts";
import { startProgress } from "./media/progress.ts";
import { printError, printJson, table } from "./output.ts";
import { clientOf, parseAddress } from "./remote.ts";

interface RunCommandOptions {
  input: string[];
  output?: string;
  set: string[];
  remote?: string;
  stats: boolean;
  statsFile?: string;
  json: boolean;
  jobs: number;
  resume: boolean;
}

/** `remotemedia run`, also called `stream`. */
export function runCommand(): Command {
  return new Command("run")
    .alias("stream")
    .description("Run a manifest's pipeline over files or the standard input")
    .argument("<manifest>", "YAML or JSON file")
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
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option("--remote <host:port>", "Run there what the server offers and no executor is named for")
    .option("--stats", "Show at the end what each node did", false)
    .option("--stats-file <file>", "Write it there as JSON, for graph --stats")
    .option("--json", "Print messages as JSON, one line each", false)
    .addOption(
      new Option("--jobs <count>", "How many files are worked on at once").default(1).argParser(
        count,
      ),
    )
    .option("--resume", "Leave out inputs whose output is there already", false)
    .action(run);
}

async function run(path: string, options: RunCommandOptions): Promise<void> {
  if (options.json) printJson();
  const inputs = await expandInputs(inputsOf(options));
  const job: Job = {
    path,
    options,
    manifest: await withRemote(await readManifest(path, options.set), options.remote),
    isAlone: inputs.length === 1,
    draining: new Set(),
    abort: new AbortController(),
    stats: [],
  };
  if (!job.isAlone && options.output !== undefined && !options.output.includes("{name}")) {
    throw new ConfigurationError(
      `Cannot write ${inputs.length} outputs to ${options.output} as it must have {name} in it`,
    );
  }
  using _signals = catchInterrupt(job);
  const failed = await runAll(inputs, job);
  await tellStats(job);
  if (job.isInterrupted) throw new Stop(130);
  if (failed === 0) return;
  if (!job.isAlone) printError(`${failed} of ${inputs.length} inputs failed`);
  throw new Stop(failed === inputs.length ? 1 : 3);
}

/** What is common to all inputs of a run. */
interface Job {
  path: string;
  manifest: Manifest;
  options: RunCommandOptions;
  isAlone: boolean;
  /** Called by the first Ctrl-C: inputs end, and what is on its way comes out. */
  draining: Set<() => void>;
  isInterrupted?: boolean;
  /** Aborted by the second. */
  abort: AbortController;
  stats: NodeStats[][];
}

function inputsOf({ input }: RunCommandOptions): string[] {
  if (input.length > 0) return input;
  if (!Deno.stdin.isTerminal()) return ["-"];
  throw new ConfigurationError("Cannot run without an input: give one with -i");
}

async function runAll(inputs: readonly string[], job: Job): Promise<number> {
  let failed = 0;
  const left = inputs.values(); // shared: each worker takes the next one
  const work = async () => {
    for (const input of left) {
      if (job.isInterrupted) return;
      const output = outputFor(input, job.options.output);
      if (job.options.resume && await isThere(output)) continue;
      try {
        await runOne(input, output, job);
      } catch (error) {
        if (isBrokenPipe(error)) throw error;
        if (job.abort.signal.aborted) return;
        failed++;
        printError(job.isAlone ? messageOf(error) : `${input}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(job.options.jobs, inputs.length) }, work));
  return failed;
}

async function runOne(input: string, output: string | undefined, job: Job): Promise<void> {
  const { pipeline, close } = await buildPipeline(job.manifest, job.path);
  try {
    using progress = await startProgress(input, job.isAlone && !job.options.json);
    const source = untilDrained(
      openInput(input, job.manifest),
      job,
      (chunk) => progress.saw(chunk),
    );
    await pipeline.run(source, { signal: job.abort.signal }).pipeTo(openOutput(output));
  } finally {
    job.stats.push(pipeline.stats());
    await close();
  }
}

/** The source, until the first Ctrl-C. */
function untilDrained(
  source: ReadableStream<unknown>,
  { draining }: Job,
  saw: (chunk: unknown) => void,
): ReadableStream<unknown> {
  const reader = source.getReader();
  let isOver = false;
  let end = () => {};
  return new ReadableStream({
    start(controller) {
      end = () => {
        isOver = true;
        draining.delete(end);
        controller.close();
        // what the source says to that cannot change what was read from it
        void reader.cancel("interrupted").catch(() => {});
      };
      draining.add(end);
    },
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        draining.delete(end);
        throw error;
      });
      if (isOver) return;
      if (done) return end();
      saw(value);
      controller.enqueue(value);
    },
    cancel(reason) {
      draining.delete(end);
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Ctrl-C once: end well. Twice: end now. */
function catchInterrupt(job: Job): Disposable {
  const onSignal = () => {
    if (job.isInterrupted) job.abort.abort(new Error("interrupted"));
    job.isInterrupted = true;
    for (const end of [...job.draining]) end();
  };
  Deno.addSignalListener("SIGINT", onSignal);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", onSignal) };
}

/** `{name}` is the input's name without its folder and ending. */
function outputFor(input: string, output: string | undefined): string | undefined {
  return output?.replaceAll("{name}", basename(input, extname(input)));
}

async function isThere(path: string | undefined): Promise<boolean> {
  if (path === undefined || path === "-") return false;
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** Sends to a server the nodes that it offers, are not sent elsewhere and whose class is no user's own. */
async function withRemote(manifest: Manifest, address: string | undefined): Promise<Manifest> {
  if (address === undefined) return manifest;
  await using client = clientOf(address);
  const offered = new Set((await client.listNodes()).map(({ type }) => type));
  const token = Deno.env.get("REMOTEMEDIA_TOKEN") === undefined
    ? {}
    : { token: "${REMOTEMEDIA_TOKEN}" };
  const nodes = manifest.nodes.map((node) =>
    node.executor === undefined && offered.has(node.type ?? "") &&
      registry.get(node.type!) !== undefined
      ? { ...node, executor: "remote" }
      : node
  );
  const executors = { ...manifest.executors, remote: { ...parseAddress(address), ...token } };
  return { ...manifest, nodes, executors };
}

async function tellStats({ stats, options }: Job): Promise<void> {
  const total = sum(stats);
  if (options.statsFile !== undefined) {
    await Deno.writeTextFile(options.statsFile, `${JSON.stringify(total, undefined, 2)}\n`);
  }
  if (!options.stats) return;
  if (options.json) return console.error(JSON.stringify({ level: "info", stats: total }));
  console.error(table([
    ["node", "in", "out", "dropped", "errors", "busy ms", "p50 ms", "p99 ms"],
    ...total.map(({ name, in: taken, out, dropped, errors, busyMs, latency }) => [
      name,
      ...[taken, out, dropped, errors].map(String),
      ...[busyMs, latency.p50, latency.p99].map((ms) => ms.toFixed(2)),
    ]),
  ]));
}

/** What the nodes of all runs did; latencies are those of the slowest run. */
function sum(runs: readonly NodeStats[][]): NodeStats[] {
  const [first = [], ...others] = runs;
  return first.map((stats, index) =>
    others.reduce<NodeStats>((total, run) => {
      const other = run[index];
      if (other === undefined) return total;
      return {
        ...total,
        in: total.in + other.in,
        out: total.out + other.out,
        dropped: total.dropped + other.dropped,
        errors: total.errors + other.errors,
        busyMs: total.busyMs + other.busyMs,
        latency: other.latency.p99 > total.latency.p99 ? other.latency : total.latency,
      };
    }, stats)
  );
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number of at least 1.");
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe;
}

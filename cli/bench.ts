import { Command, Option } from "commander";
import { ConfigurationError } from "../core/errors.ts";
import type { Manifest, NodeStats } from "../core/mod.ts";
import { buildPipeline, gather, readManifest } from "./manifest_file.ts";
import { expandInputs, openInput } from "./media/inputs.ts";
import { print, table } from "./output.ts";
import { count, withRemote } from "./run.ts";

interface BenchOptions {
  input: string[];
  set: string[];
  remote?: string;
  runs: number;
  warmup: number;
  json: boolean;
}

/** The most bytes of chunks that are read before the first run. */
const MAX_BYTES = 512 * 2 ** 20;

/** What is fed to each run. */
interface Input {
  chunks: unknown[];
  /** How long the media in it is, in s; `undefined` where chunks have no timestamps. */
  seconds: number | undefined;
}

/** One run. */
interface Run {
  ms: number;
  stats: NodeStats[];
}

/** What the runs at one place gave, each figure the median. */
interface Measured {
  /** `here`, or the server. */
  where: string;
  ms: number;
  chunksPerSecond: number;
  xRealTime: number | undefined;
  /** Time of each run, in ms, in their order. */
  runsMs: number[];
  nodes: { name: string; type: string; in: number; out: number; busyMs: number; p99Ms: number }[];
}

/** `remotemedia bench`. */
export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "Measure a manifest's pipeline: speed, and the time of each node. The input is read before, the output " +
        "thrown away; figures are medians",
    )
    .argument("<manifest>", "YAML or JSON file")
    .option("-i, --input <file>", "As run takes it; may be repeated", gather, [])
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option("--remote <host:port>", "Compare with running there what the server offers")
    .addOption(new Option("--runs <count>", "Runs that count").default(5).argParser(count))
    .addOption(
      new Option("--warmup <count>", "Runs before them that do not").default(1).argParser(count),
    )
    .option("--json", "Print it as JSON", false)
    .action(bench);
}

async function bench(path: string, options: BenchOptions): Promise<void> {
  const { remote, json } = options;
  const manifest = await readManifest(path, options.set);
  if (options.input.length === 0) {
    throw new ConfigurationError("Cannot measure without an input: give one with -i");
  }
  const input = await readInput(options.input, manifest);
  const places = [
    { where: "here", manifest, runs: [] as Run[] },
    ...(remote === undefined
      ? []
      : [{ where: remote, manifest: await withRemote(manifest, remote), runs: [] as Run[] }]),
  ];
  // in turn, so that what else the machine does meets all alike
  for (let index = 0; index < options.warmup + options.runs; index++) {
    for (const { manifest, runs } of places) {
      const run = await runOnce(manifest, { path, input });
      if (index >= options.warmup) runs.push(run);
    }
  }
  const measured = places.map(({ where, runs }) => summary(where, runs, input));
  if (json) {
    const { chunks: { length: chunks }, seconds } = input;
    print(JSON.stringify({ input: { chunks, seconds }, places: measured }, undefined, 2));
  } else print(tableOf(measured, input));
}

async function readInput(paths: readonly string[], manifest: Manifest): Promise<Input> {
  const chunks: unknown[] = [];
  let [bytes, seconds] = [0, 0];
  for (const path of await expandInputs(paths)) {
    let last = 0;
    for await (const chunk of openInput(path, manifest)) {
      chunks.push(chunk);
      const { data, timestamp, duration } = (chunk ?? {}) as {
        data?: { byteLength?: number };
        timestamp?: number;
        duration?: number;
      };
      bytes += data?.byteLength ?? 64;
      if (bytes > MAX_BYTES) {
        throw new ConfigurationError(
          `Cannot measure with ${path} as the input takes over ${MAX_BYTES / 2 ** 20} MiB: cut it`,
        );
      }
      if (typeof timestamp === "number") last = Math.max(last, timestamp + (duration ?? 0));
    }
    seconds += last / 1e6;
  }
  if (chunks.length === 0) throw new ConfigurationError("Cannot measure as the input is empty");
  return { chunks, seconds: seconds === 0 ? undefined : seconds };
}

async function runOnce(
  manifest: Manifest,
  { path, input: { chunks } }: { path: string; input: Input },
): Promise<Run> {
  const { pipeline, close } = await buildPipeline(manifest, path);
  try {
    const started = performance.now();
    await pipeline.run(ReadableStream.from(chunks)).pipeTo(new WritableStream());
    return { ms: performance.now() - started, stats: pipeline.stats() };
  } finally {
    await close();
  }
}

function summary(where: string, runs: readonly Run[], { chunks, seconds }: Input): Measured {
  const runsMs = runs.map(({ ms }) => ms);
  const ms = median(runsMs);
  return {
    where,
    ms,
    chunksPerSecond: chunks.length / (ms / 1000),
    xRealTime: seconds === undefined ? undefined : seconds / (ms / 1000),
    runsMs,
    nodes: runs[0]!.stats.map(({ name, type, in: taken, out }, index) => ({
      name,
      type,
      in: taken,
      out,
      busyMs: median(runs.map(({ stats }) => stats[index]?.busyMs ?? 0)),
      p99Ms: median(runs.map(({ stats }) => stats[index]?.latency.p99 ?? 0)),
    })),
  };
}

/** The middle one of a few numbers; of an even count the mean of both. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function tableOf(measured: readonly Measured[], { chunks, seconds }: Input): string {
  const length = seconds === undefined ? "" : `, ${seconds.toFixed(1)} s of media`;
  const [here, there] = measured as [Measured, Measured?];
  const overview = table([
    ["", "ms", "chunks/s", "x real time", "slowest ms"],
    ...measured.map(({ where, ms, chunksPerSecond, xRealTime, runsMs }) => [
      where,
      ms.toFixed(1),
      chunksPerSecond.toFixed(0),
      xRealTime === undefined ? "" : `${xRealTime.toFixed(1)}x`,
      Math.max(...runsMs).toFixed(1),
    ]),
  ]);
  const ratio = there === undefined
    ? ""
    : `\n${there.where} takes ${(there.ms / here.ms).toFixed(2)} times as long as here.`;
  const nodes = table([
    ["node", "in", "out", ...measured.flatMap(({ where }) => [`busy ms ${where}`, "share", "p99"])],
    ...here.nodes.map(({ name, in: taken, out }, index) => [
      name,
      String(taken),
      String(out),
      ...measured.flatMap(({ nodes }) => {
        const total = nodes.reduce((sum, { busyMs }) => sum + busyMs, 0);
        const { busyMs, p99Ms } = nodes[index] ?? { busyMs: 0, p99Ms: 0 };
        const share = total === 0 ? 0 : busyMs / total;
        return [busyMs.toFixed(2), `${Math.round(100 * share)}%`, p99Ms.toFixed(3)];
      }),
    ]),
  ]);
  return `${chunks.length} chunks${length}; medians of ${here.runsMs.length} runs\n\n${overview}${ratio}\n\n${nodes}`;
}

import { basename, extname } from "node:path";
import { ConfigurationError, messageOf } from "../core/errors.ts";
import type { Manifest, NodeStats } from "../core/mod.ts";
import { Stop } from "./exit_codes.ts";
import { expandInputs, openInput } from "./media/inputs.ts";
import { openOutput } from "./media/outputs.ts";
import { startProgress } from "./media/progress.ts";
import { printError, printJson, table } from "./output.ts";

/** How inputs are run through a pipeline, as the command line says. */
export interface RunInputsOptions {
  input: string[];
  output?: string;
  stats: boolean;
  statsFile?: string;
  json: boolean;
  jobs: number;
  resume: boolean;
}

/** A pipeline for one input. */
export interface OpenPipeline {
  pipeline: {
    run(source: ReadableStream<unknown>, options: { signal: AbortSignal }): ReadableStream<unknown>;
    stats(): NodeStats[];
  };
  close(): Promise<void>;
}

/** What inputs are run through. */
export interface Runnable {
  /** Tells what kind of inputs there are. */
  manifest: Manifest;
  /** Makes a pipeline for one input. */
  open(): Promise<OpenPipeline>;
}

/**
 * Runs inputs through a pipeline, several at once where that is asked for.
 *
 * @throws {Stop} with the exit code, if not all is done
 */
export async function runInputs(
  options: RunInputsOptions,
  makeRunnable: () => Promise<Runnable>,
): Promise<void> {
  if (options.json) printJson();
  const inputs = await expandInputs(inputsOf(options));
  const job: Job = {
    ...await makeRunnable(),
    options,
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
interface Job extends Runnable {
  options: RunInputsOptions;
  isAlone: boolean;
  /** Called by the first Ctrl-C: inputs end, and what is on its way comes out. */
  draining: Set<() => void>;
  isInterrupted?: boolean;
  /** Aborted by the second. */
  abort: AbortController;
  stats: NodeStats[][];
}

function inputsOf({ input }: RunInputsOptions): string[] {
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
  const { pipeline, close } = await job.open();
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

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe;
}

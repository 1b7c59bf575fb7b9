import { ConfigurationError } from "../core/errors.ts";
import { ManifestError } from "../core/manifest/manifest_error.ts";
import type { Manifest, NodeStats } from "../core/mod.ts";
import { Stop } from "./exit_codes.ts";
import { Interrupts } from "./interrupts.ts";
import { expandInputs, openInput } from "./media/inputs.ts";
import { openOutput, toStandardOutput } from "./media/outputs.ts";
import { startProgress } from "./media/progress.ts";
import { printError, printJson, tellFailure } from "./output.ts";
import { isDone, markCut, planOutputs, type Work } from "./run_outputs.ts";
import { type StatsOptions, tellStats } from "./run_stats.ts";

/** How inputs are run through a pipeline, as the command line says. */
export interface RunInputsOptions extends StatsOptions {
  input: string[];
  output?: string;
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
  /** The file that the manifest is read from, if it is. */
  path?: string;
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
  const works = planOutputs(inputs, options.output);
  const runnable = await makeRunnable();
  if (runnable.path === "-" && inputs.includes("-")) {
    throw new ConfigurationError(
      "Cannot read both the manifest and an input from the standard input: give the input with -i",
    );
  }
  using interrupts = new Interrupts();
  const job: Job = {
    ...runnable,
    options,
    isAlone: inputs.length === 1,
    interrupts,
    stats: [],
  };
  const failed = await runAll(works, job);
  await tellStats(job.stats, options);
  if (interrupts.code !== undefined) throw new Stop(interrupts.code);
  if (failed === 0) return;
  if (!job.isAlone) printError(`${failed} of ${inputs.length} inputs failed`);
  throw new Stop(failed === inputs.length ? 1 : 3);
}

/** What is common to all inputs of a run. */
interface Job extends Runnable {
  options: RunInputsOptions;
  isAlone: boolean;
  interrupts: Interrupts;
  stats: NodeStats[][];
}

function inputsOf({ input }: RunInputsOptions): string[] {
  if (input.length > 0) return input;
  if (!Deno.stdin.isTerminal()) return ["-"];
  throw new ConfigurationError("Cannot run without an input: give one with -i");
}

async function runAll(works: readonly Work[], job: Job): Promise<number> {
  const { options, interrupts } = job;
  let failed = 0;
  const left = works.values(); // shared: each worker takes the next one
  const worker = async () => {
    for (const work of left) {
      if (interrupts.code !== undefined) return;
      if (options.resume && await isDone(work, job.path)) continue;
      try {
        await runOne(work, job);
      } catch (error) {
        if (isBrokenPipe(error)) throw error;
        if (error instanceof ManifestError) throw error; // all others would meet it too
        if (interrupts.signal.aborted) return;
        failed++;
        tellFailure(error, job.isAlone ? undefined : work.input);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, works.length) }, worker));
  return failed;
}

async function runOne(work: Work, job: Job): Promise<void> {
  const { pipeline, close } = await job.open();
  try {
    const isMixed = toStandardOutput(work.output) && Deno.stdout.isTerminal();
    using progress = await startProgress(
      work.input,
      job.isAlone && !job.options.json && !isMixed,
    );
    const input = openInput(work.input, job.manifest);
    const { source, isCut } = job.interrupts.guard(input, (chunk) => progress.saw(chunk));
    const { signal } = job.interrupts;
    await pipeline.run(source, { signal }).pipeTo(openOutput(work.output));
    if (isCut()) await markCut(work);
  } finally {
    job.stats.push(pipeline.stats());
    await close();
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe;
}

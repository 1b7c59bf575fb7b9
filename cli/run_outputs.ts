import { basename, extname, resolve } from "node:path";
import { ConfigurationError } from "../core/errors.ts";

/** An input, and where what comes of it goes; `undefined` is the standard output. */
export interface Work {
  input: string;
  output: string | undefined;
}

/**
 * Tells for each input where its output goes: `{name}` is the input's name without its folder and ending.
 *
 * @throws {ConfigurationError} if an output would overwrite another, or an input
 */
export function planOutputs(inputs: readonly string[], output: string | undefined): Work[] {
  const plan = inputs.map((input) => ({
    input,
    output: output?.replaceAll("{name}", () => basename(input, extname(input))),
  }));
  if (output === undefined || output === "-") return plan;
  if (inputs.length > 1 && !output.includes("{name}")) {
    throw new ConfigurationError(
      `Cannot write ${inputs.length} outputs to ${output} as it must have {name} in it`,
    );
  }
  const read = new Set(inputs.filter((input) => input !== "-").map((input) => resolve(input)));
  const written = new Map<string, string>();
  for (const { input, output } of plan) {
    const path = resolve(output!);
    if (read.has(path)) {
      throw new ConfigurationError(`Cannot write ${output} as it is an input: give another name`);
    }
    const other = written.get(path);
    if (other !== undefined) {
      throw new ConfigurationError(
        `Cannot write ${output} as it is the output of both ${other} and ${input}: run them apart`,
      );
    }
    written.set(path, input);
  }
  return plan;
}

/** Whether the output is there, whole, and no older than the input and the manifest. */
export async function isDone({ input, output }: Work, manifest: string | undefined) {
  if (output === undefined || output === "-") return false;
  const made = await changedMs(output);
  if (made === undefined) return false;
  const since = await Promise.all([changedMs(input), changedMs(manifest)]);
  return since.every((ms) => ms === undefined || ms <= made);
}

/** Dates an output that was cut short before its input, so that it is not taken for done. */
export async function markCut({ input, output }: Work): Promise<void> {
  if (output === undefined || await changedMs(output) === undefined) return;
  const ms = await changedMs(input);
  if (ms !== undefined) await Deno.utime(output, new Date(ms - 1000), new Date(ms - 1000));
}

/** When a file was last changed; `undefined` of what is none. */
async function changedMs(path: string | undefined): Promise<number | undefined> {
  if (path === undefined || path === "-") return undefined;
  const info = await Deno.stat(path).catch(() => undefined); // a URL, or not there
  return info?.isFile ? info.mtime?.getTime() : undefined;
}

import { Command } from "commander";
import { messageOf } from "../core/errors.ts";
import { requiredDeno } from "../core/runtime.ts";
import { loadSilero } from "../nodes/ml/_silero.ts";
import { print, table } from "./output.ts";

/** What may be missing on a machine, and what its absence costs. */
const programs: readonly (readonly [name: string, args: string[], cost: string])[] = [
  ["ffmpeg", ["-version"], "media other than WAV cannot be read or written"],
  ["ffprobe", ["-version"], "media other than WAV cannot be probed or read"],
  ["bwrap", ["--version"], 'sandboxes cannot use isolation "bwrap"; "process" works'],
];

/** `remotemedia doctor`. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Tell what is missing on this machine, and what each absence costs")
    .option("--json", "Print it as JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const findings = [
        { name: "deno", found: Deno.version.deno, cost: `needs ${requiredDeno} or newer` },
        ...await Promise.all(programs.map(async ([name, args, cost]) => ({
          name,
          found: await versionOf(name, args),
          cost,
        }))),
        await findModel(),
      ];
      if (json) print(JSON.stringify(findings, undefined, 2));
      else {
        print(
          table(
            findings.map(({ name, found, cost }) =>
              found === undefined ? ["missing", name, `without it ${cost}`] : ["found", name, found]
            ),
          ),
        );
      }
    });
}

async function versionOf(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, success } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).split("\n")[0]!.slice(0, 60) : undefined;
  } catch {
    return undefined; // not there is what was asked
  }
}

/** Runs the model once: it may be there, and its runtime not. */
async function findModel(): Promise<{ name: string; found: string | undefined; cost: string }> {
  const name = "VAD model";
  const cost = "VoiceActivityDetector needs engine energy";
  try {
    await loadSilero();
    return { name, found: "Silero, run by onnxruntime", cost };
  } catch (error) {
    return { name, found: undefined, cost: `${cost}: ${messageOf(error)}` };
  }
}

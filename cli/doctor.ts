import { Command } from "commander";
import { messageOf } from "../core/errors.ts";
import { requiredDeno } from "../core/runtime.ts";
import { loadSilero } from "../nodes/ml/_silero.ts";
import { print, table } from "./output.ts";

/** What may be missing on a machine, and what its absence costs. */
const programs: readonly { name: string; variable?: string; args: string[]; cost: string }[] = [
  {
    name: "ffmpeg",
    variable: "FFMPEG_PATH",
    args: ["-version"],
    cost: "media other than WAV cannot be read or written",
  },
  {
    name: "ffprobe",
    variable: "FFPROBE_PATH",
    args: ["-version"],
    cost: "media other than WAV cannot be probed or read",
  },
  {
    name: "bwrap",
    args: ["--unshare-all", "--ro-bind", "/", "/", "bwrap", "--version"], // may be there, and not allowed
    cost: 'sandboxes cannot use isolation "bwrap"; "process" works',
  },
];

/** `remotemedia doctor`. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Tell what is missing on this machine, and what each absence costs")
    .option("--json", "Print it as JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const findings = [
        { name: "deno", found: Deno.version.deno, cost: `needs ${requiredDeno} or newer` },
        ...await Promise.all(programs.map(async ({ name, variable, args, cost }) => {
          const program = (variable !== undefined && Deno.env.get(variable)) || name;
          return { name, found: await versionOf(program, args), cost };
        })),
        await findModel(),
      ];
      if (json) print(JSON.stringify(findings, undefined, 2));
      else {
        print(
          table(
            findings.map(({ name, found, cost }) =>
              found === null ? ["missing", name, `without it ${cost}`] : ["found", name, found]
            ),
          ),
        );
      }
    });
}

async function versionOf(program: string, args: string[]): Promise<string | null> {
  try {
    const { stdout, success } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).split("\n")[0]!.slice(0, 60) : null;
  } catch {
    return null; // not there is what was asked
  }
}

/** Runs the model once: it may be there, and its runtime not. */
async function findModel(): Promise<{ name: string; found: string | null; cost: string }> {
  const name = "VAD model";
  const cost = "VoiceActivityDetector needs engine energy";
  try {
    await loadSilero();
    return { name, found: "Silero, run by onnxruntime", cost };
  } catch (error) {
    return { name, found: null, cost: `${cost}: ${messageOf(error)}` };
  }
}

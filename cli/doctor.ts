import { Command } from "commander";
import { requiredDeno } from "../core/runtime.ts";
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
        {
          name: "VAD model",
          found: modelPath(),
          cost: "VoiceActivityDetector needs engine energy",
        },
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

function modelPath(): string | undefined {
  try {
    return import.meta.resolve("@ricky0123/vad-web").startsWith("npm:")
      ? "in the npm package"
      : "installed";
  } catch {
    return undefined; // not there is what was asked
  }
}

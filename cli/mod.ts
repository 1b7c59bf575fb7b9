import { Command, CommanderError } from "commander";
import { version } from "./_version.ts";
import { benchCommand } from "./bench.ts";
import { doctorCommand } from "./doctor.ts";
import { exitCodeOf, exitCodes, Stop } from "./exit_codes.ts";
import { completionsCommand } from "./completions.ts";
import { graphCommand } from "./graph.ts";
import { initCommand } from "./init.ts";
import { inspectCommand } from "./inspect.ts";
import { nodesCommand } from "./nodes.ts";
import { packCommand } from "./pack.ts";
import { remoteCommand } from "./remote.ts";
import { clientVariables } from "./remote_client.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { ManifestError } from "../core/manifest/manifest_error.ts";
import { printError, tellFailure } from "./output.ts";
import { validateCommand } from "./validate.ts";

/** The command line, as data: for running it, and for its documentation. */
export function createProgram(): Command {
  const program = new Command("remotemedia")
    .description("Audio, video and data pipelines whose nodes run here or on another machine.")
    .version(version)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText("after", `\n${clientVariables}\n\n${exitCodes}`);
  const commands = [
    runCommand(),
    validateCommand(),
    graphCommand(),
    nodesCommand(),
    serveCommand(),
    remoteCommand(),
    benchCommand(),
    packCommand(),
    inspectCommand(),
    doctorCommand(),
    initCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  return program.addCommand(completionsCommand(program));
}

/**
 * Runs one command line.
 *
 * @param args the words after the program's name
 * @returns the exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const program = createProgram();
  for (
    const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]
  ) {
    command.exitOverride().configureOutput({ outputError: (text, write) => write(text) });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof Stop) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (isBrokenPipe(error)) return 141;
    if (error instanceof ManifestError) {
      const { file } = error;
      for (const { line, column, message } of error.issues.slice(0, 20)) {
        printError(`${file}:${line}:${column}: ${message}`);
      }
      return 2;
    }
    tellFailure(error);
    return exitCodeOf(error);
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof Error && error.cause instanceof Deno.errors.BrokenPipe);
}

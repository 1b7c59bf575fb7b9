import { Command } from "commander";
import { stringify } from "yaml";
import { ConfigurationError } from "../../core/errors.ts";
import { readConfig, serveOptionsOf, type ServerConfig, settingsHelp } from "./config.ts";
import { serve } from "./serve.ts";

/**
 * What `deno task serve` does: reads its settings, serves until SIGTERM or SIGINT, then drains.
 *
 * @param args the command line
 * @returns the exit code
 */
export async function runServer(args: readonly string[]): Promise<number> {
  try {
    const { config, print } = await configOf(args);
    if (print) {
      console.log(stringify(config).trimEnd());
      return 0;
    }
    await runUntilSignal(config);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function configOf(
  args: readonly string[],
): Promise<{ config: ServerConfig; print: boolean }> {
  const command = new Command("serve")
    .description(
      "Runs nodes for RemoteExecutors. Flags come before the environment before the file.",
    )
    .option("--config <file>", "YAML file with settings, named as --print-config shows")
    .option("--print-config", "print the settings and end");
  for (const { flag, variable, description, fallback, isSwitch } of settingsHelp()) {
    const shown = fallback === undefined || isSwitch ? "" : `, default ${fallback}`;
    command.option(isSwitch ? flag : `${flag} <value>`, `${description} (${variable}${shown})`);
  }
  command.parse(args, { from: "user" });
  const { config: path, printConfig, ...flags } = command.opts<Record<string, unknown>>();
  let file: string | undefined;
  if (typeof path === "string") {
    try {
      file = await Deno.readTextFile(path);
    } catch (cause) {
      throw new ConfigurationError(`Cannot read ${path}`, { cause });
    }
  }
  const config = readConfig(flags, { env: Deno.env.toObject(), file });
  return { config, print: printConfig === true };
}

async function runUntilSignal(config: ServerConfig): Promise<void> {
  const options = await serveOptionsOf(config);
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
  const server = await serve(options);
  console.log(`Listening on ${server.address}`);
  if (server.httpPort !== undefined) {
    console.log(`Health and metrics on http://${config.host}:${server.httpPort}`);
  }
  await signalled;
  console.log(`Draining ${server.sessions} sessions`);
  await server.drain(config.drainSeconds);
}

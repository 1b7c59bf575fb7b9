import { Command, CommanderError } from "commander";
import { stringify } from "yaml";
import { ConfigurationError } from "../../core/errors.ts";
import { addressOf, httpHost } from "./bind.ts";
import { readConfig, serveOptionsOf, type ServerConfig, settingsHelp } from "./config.ts";
import { serve, type ServeOptions } from "./serve.ts";
import { readTextFile } from "./yaml_file.ts";
import { ownCommand } from "./workers/own_command.ts";
import { runWorker, workerSetup } from "./workers/run_worker.ts";
import { serveWorkers } from "./workers/serve_workers.ts";

/** What the command line does not tell. */
export interface RunServerOptions {
  /** The node types that clients may use. @default the built-in ones */
  nodes?: ServeOptions["nodes"];
}

/**
 * What `deno task serve` does: reads its settings, serves until SIGTERM or SIGINT, then drains. With
 * `--workers`, the program is started again for each of them.
 *
 * @param args the command line
 * @returns the exit code
 *
 * @example A server with a node type more
 * ```ts ignore
 * import { runServer } from "@remotemedia/sdk/server";
 * import { builtinNodes } from "@remotemedia/sdk/nodes";
 * import { Upper } from "./upper.ts";
 *
 * Deno.exit(await runServer(Deno.args, { nodes: [...builtinNodes, Upper] }));
 * ```
 */
export async function runServer(
  args: readonly string[],
  { nodes }: RunServerOptions = {},
): Promise<number> {
  try {
    const { config, print } = await configOf(args);
    if (print) {
      console.log(stringify(config).trimEnd());
      return 0;
    }
    const options = { ...await serveOptionsOf(config), ...(nodes !== undefined && { nodes }) };
    const setup = workerSetup();
    if (setup !== undefined) await runWorker(options, setup);
    else await runUntilSignal(config, options);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has said why
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function configOf(
  args: readonly string[],
): Promise<{ config: ServerConfig; print: boolean }> {
  const command = new Command("serve")
    .exitOverride()
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
  const name = typeof path === "string" ? path : undefined;
  const file = name === undefined ? undefined : await readTextFile(name);
  const config = readConfig(flags, { env: Deno.env.toObject(), file, name });
  return { config, print: printConfig === true };
}

async function runUntilSignal(config: ServerConfig, options: ServeOptions): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
  const workers = config.workers === 0 ? navigator.hardwareConcurrency : config.workers;
  const server = workers === 1
    ? await serve(options)
    : await serveWorkers(options, { count: workers, command: ownCommand() });
  const by = workers === 1 ? "" : ` by ${workers} workers`;
  console.log(`Listening on ${server.address}${by}`);
  if (server.httpPort !== undefined) {
    console.log(
      `Health and metrics on http://${addressOf(httpHost(config.host), server.httpPort)}`,
    );
  }
  await signalled;
  console.log(`Draining ${server.sessions} sessions`);
  await server.drain(config.drainSeconds);
}

import { Command } from "commander";
import { runServer } from "../remote/server/run_server.ts";
import { Stop } from "./exit_codes.ts";

/** `remotemedia serve`: the server's own command line. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Run nodes for other machines; see serve --help")
    .argument("[settings...]", "Settings of the server")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (settings: string[]) => {
      const code = await runServer(settings);
      if (code !== 0) throw new Stop(code);
    });
}

import { Command } from "commander";
import type { RemoteExecutor } from "../remote/client/remote_executor.ts";
import { Stop } from "./exit_codes.ts";
import { print, table } from "./output.ts";
import { clientOf, serverForms } from "./remote_client.ts";
import { remotePipelineCommands } from "./remote_pipelines.ts";

/** `remotemedia remote`. */
export function remoteCommand(): Command {
  const command = new Command("remote")
    .description("Ask servers");
  command.command("status")
    .description("How servers do")
    .argument("<servers...>", serverForms)
    .option("--json", "Print it as JSON", false)
    .action(async (servers: string[], { json }: { json: boolean }) => {
      const all = await Promise.all(servers.map(async (server) => {
        await using client = clientOf(server);
        return await client.status();
      }));
      const statuses = all.flat();
      if (json) print(JSON.stringify(statuses, errorAsText, 2));
      else print(table(statuses.map((status) => [status.where, ...describe(status)])));
      if (statuses.some(({ up }) => !up)) throw new Stop(1);
    });
  command.command("nodes")
    .description("The node types that a server offers")
    .argument("<server>", serverForms)
    .option("--json", "Print them as JSON, with their options' JSON Schema", false)
    .action(async (server: string, { json }: { json: boolean }) => {
      await using client = clientOf(server);
      const nodes = await client.listNodes();
      print(json ? JSON.stringify(nodes, undefined, 2) : nodes.map(({ type }) => type).join("\n"));
    });
  for (const each of remotePipelineCommands()) command.addCommand(each);
  return command;
}

function describe(status: Awaited<ReturnType<RemoteExecutor["status"]>>[number]): string[] {
  if (!status.up) return ["down", status.error.message];
  const { version, sessions, maxSessions, rssBytes, uptimeMs, draining } = status;
  return [
    draining ? "draining" : "up",
    `version ${version}`,
    `${sessions} of ${maxSessions} sessions`,
    `${Math.round(rssBytes / 2 ** 20)} MiB`,
    `for ${Math.round(uptimeMs / 1000)} s`,
  ];
}

function errorAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

/** A server in a process of its own, as users have it. Run by itself, it says its port and serves until its input ends. */

import { serve } from "../remote/server/mod.ts";

/** A server that runs elsewhere. */
export interface ServerProcess extends AsyncDisposable {
  /** Where it listens on this machine. */
  readonly port: number;
}

/** Starts a server whose pool keeps so many sandboxes waiting. */
export async function startServer({ warm }: { warm: number }): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.url, String(warm)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

if (import.meta.main) {
  await using server = await serve({ port: 0, userCode: { warm: Number(Deno.args[0]) } });
  console.log(server.port);
  await Deno.stdin.read(new Uint8Array(1));
}

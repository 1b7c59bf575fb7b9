import { captureConsole } from "./console.ts";
import { GuestHost } from "./guest_host.ts";
import { narrowScope } from "./scope.ts";

/** What the supervisor tells the Worker, as its name. */
export interface GuestSetup {
  /** The Unix socket on which the host waits. */
  socket: string;
  /** The size, in bytes, of the largest message. */
  maxMessageBytes: number;
}

/** Connects to the host, takes from the scope what a bundle must not have, and does as the host says. */
export async function start(): Promise<void> {
  const scope = globalThis as unknown as { name: string };
  const { socket, maxMessageBytes }: GuestSetup = JSON.parse(scope.name);
  scope.name = "sandbox";
  const connection = await Deno.connect({ transport: "unix", path: socket });
  giveUp(socket);
  const host = new GuestHost(connection, maxMessageBytes);
  captureConsole((line) => host.say({ type: "log", ...line }));
  narrowScope();
  void host.serve();
}

/** Gives up the rights that only connecting needed: with them a bundle could write where the socket was. */
function giveUp(socket: string): void {
  Deno.permissions.revokeSync({ name: "write", path: socket });
  Deno.permissions.revokeSync({ name: "read", path: socket });
  Deno.permissions.revokeSync({ name: "net", host: `unix:${socket}` });
}

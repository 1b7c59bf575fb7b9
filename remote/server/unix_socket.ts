import { connect } from "node:net";

/** What stands in front of the path of a Unix socket. */
const UNIX = "unix:";

/**
 * Removes the socket of a server that is gone without having removed it: nobody could listen there ever again. What
 * is no socket, or answers, is left alone.
 *
 * @param host an address, or `unix:` and a path
 */
export async function removeStaleSocket(host: string): Promise<void> {
  if (!host.startsWith(UNIX)) return;
  const path = host.slice(UNIX.length);
  try {
    if ((await Deno.lstat(path)).isSocket && await isRefused(path)) await Deno.remove(path);
  } catch {
    // it is not there, or not ours: whoever listens is told
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", ({ code }: { code?: string }) => resolve(code === "ECONNREFUSED"));
  });
}

import type { Launch } from "./launch.ts";

/** Closes a listener, which unlinks its socket, if that was not done yet. */
export function close(listener: Deno.Listener): void {
  try {
    listener.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Ends a process with SIGKILL, if it still runs. */
export function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it ended by itself meanwhile
  }
}

/** Whether a process was killed; bubblewrap tells the end of the process in it as a shell does. */
export function isKill(
  { code, signal }: { code: number; signal: Deno.Signal | null },
  launch: Launch,
): boolean {
  return signal === "SIGKILL" || signal === "SIGTERM" ||
    (launch.isolation === "bwrap" && (code === 128 + 9 || code === 128 + 15));
}

/** Whether an error means that the connection's other end is gone. */
export function isHangUp(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, BadResource, Interrupted } = Deno.errors;
  return [BrokenPipe, ConnectionReset, BadResource, Interrupted].some((gone) =>
    error instanceof gone
  );
}

/** A server in a process of its own. */
export interface ChildServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** The number of its process. */
  readonly pid: number;
  /** Kills it without a word, and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a server of the test nodes in a process of its own. @param port 0 for a free one */
export async function startChild(port = 0, ...args: string[]): Promise<ChildServer> {
  const script = new URL("./_serve_child.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", script.href, String(port), ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error(`The server on port ${port} did not start`);
  const kill = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it is gone already
    }
    await child.status;
    await reader.cancel();
  };
  return { port: Number(value), pid: child.pid, kill, [Symbol.asyncDispose]: kill };
}

/** A server in a process of its own, started by its command line. */
export interface CommandServer extends AsyncDisposable {
  readonly port: number;
  /** What its HTTP port tells. */
  get(path: string): Promise<{ status: number; text: string }>;
  /** Processes that it started. */
  children(): number[];
  signal(signal: Deno.Signal): void;
  /** Resolves when it is gone. */
  readonly status: Promise<Deno.CommandStatus>;
}

/** Starts the server's command line with the test nodes, on free ports. */
export async function startCommand(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<CommandServer> {
  const script = new URL("./_workers_child.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script.href, "--port=0", "--http-port=0", ...args],
    env,
    stdout: "piped",
  }).spawn();
  let told = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!/Health.*\n/.test(told)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The server did not start: ${told}`);
    told += value;
  }
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  const port = Number(/Listening on \S+:(\d+)/.exec(told)![1]);
  const httpPort = Number(/Health.*:(\d+)/.exec(told)![1]);
  const signal = (name: Deno.Signal) => {
    try {
      child.kill(name);
    } catch {
      // it is gone already
    }
  };
  return {
    port,
    status: child.status,
    signal,
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${httpPort}${path}`);
      return { status: response.status, text: await response.text() };
    },
    children() {
      const path = `/proc/${child.pid}/task/${child.pid}/children`;
      return Deno.readTextFileSync(path).trim().split(" ").map(Number);
    },
    async [Symbol.asyncDispose]() {
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), 10_000);
      await child.status;
      clearTimeout(timer);
      await rest;
    },
  };
}

/** Whether a process runs. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

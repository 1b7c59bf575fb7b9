import { RemoteExecutor } from "../../remote/mod.ts";
import type { LoadPart } from "./_load_client.ts";

/** What a load did. */
export interface LoadReport {
  sessions: number;
  /** Frames that were sent, that did not come back, and that came back other than they should. */
  sent: number;
  lost: number;
  wrong: number;
  /** From when a frame should have been sent to when its output was read, in ms. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Processors that the server used. */
  serverCpu: number;
  /** Memory of the server at the end, in MB. */
  serverRssMb: number;
}

/** A server of the built-in nodes in a process of its own, as `deno task serve` starts it. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts `server.ts` on a free port of this machine. @param args more flags */
export async function startServer(...args: string[]): Promise<ServerProcess> {
  const child = spawn("../../server.ts", ["--port", "0", ...args]);
  const lines = linesOf(child.stdout);
  const port = Number(/:(\d+)$/.exec(await nextLine(lines))?.[1]);
  return {
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await lines.cancel();
    },
  };
}

/**
 * Sends frames of 20 ms at 16 kHz through many sessions at once, each in its own time as a live source does.
 *
 * @param options how many sessions, for how long, and by how many processes they are run
 */
export async function runLoad(
  { port, sessions, seconds, processes = 1 }: {
    port: number;
    sessions: number;
    seconds: number;
    processes?: number;
  },
): Promise<LoadReport> {
  await using executor = new RemoteExecutor({ port });
  const generators = Array.from({ length: processes }, (_, index) => {
    const share = Math.floor((sessions + index) / processes);
    const child = spawn("_load_client.ts", [port, share, seconds].map(String));
    return { child, lines: linesOf(child.stdout) };
  });
  for (const { lines } of generators) await nextLine(lines);
  const cpuMs = async () => {
    const [state] = await executor.status();
    if (!state?.up) throw state?.error;
    return state;
  };
  const before = await cpuMs();
  for (const { child } of generators) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    await writer.close();
  }
  const parts: LoadPart[] = await Promise.all(
    generators.map(async ({ lines }) => JSON.parse(await nextLine(lines))),
  );
  const after = await cpuMs();
  await Promise.all(generators.map(async ({ child, lines }) => {
    await child.status;
    await lines.cancel();
  }));
  const sum = (field: "sent" | "received" | "wrong") =>
    parts.reduce((total, part) => total + part[field], 0);
  const latencies = parts.flatMap((part) => part.latencies).sort(([a], [b]) => a - b);
  const received = sum("received");
  const at = (share: number) => {
    let left = share * received;
    for (const [step, count] of latencies) {
      left -= count;
      if (left <= 0) return (step + 1) / 10;
    }
    return Infinity;
  };
  return {
    sessions,
    sent: sum("sent"),
    lost: sum("sent") - received,
    wrong: sum("wrong"),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    serverCpu: (after.cpuMs - before.cpuMs) / (after.uptimeMs - before.uptimeMs),
    serverRssMb: after.rssBytes / 1e6,
  };
}

/** One line about a load. */
export function describeLoad(report: LoadReport): string {
  const { sessions, sent, lost, wrong, p50Ms, p99Ms, maxMs, serverCpu, serverRssMb } = report;
  return `${sessions} sessions: ${sent} frames, ${lost} lost, ${wrong} wrong, added latency p50 ` +
    `${p50Ms} ms, p99 ${p99Ms} ms, longest ${maxMs} ms; server ${serverCpu.toFixed(2)} CPU, ` +
    `${serverRssMb.toFixed(0)} MB`;
}

function spawn(script: string, args: readonly string[]): Deno.ChildProcess {
  const { href } = new URL(script, import.meta.url);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", href, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

function linesOf(stream: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<string> {
  let rest = "";
  return stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(
      new TransformStream<string, string>({
        transform(text, controller) {
          const lines = (rest + text).split("\n");
          rest = lines.pop()!;
          for (const line of lines) controller.enqueue(line);
        },
      }),
    ).getReader();
}

async function nextLine(lines: ReadableStreamDefaultReader<string>): Promise<string> {
  const { done, value } = await lines.read();
  if (done) throw new Error("The process ended before it said what it should");
  return value;
}

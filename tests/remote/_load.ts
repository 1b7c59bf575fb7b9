import { RemoteExecutor } from "../../remote/mod.ts";
import type { LoadPart } from "./_load_client.ts";
import { startProcess } from "./_process.ts";

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

/**
 * Starts `server.ts` on a free port.
 *
 * @param args more flags; @param options a network namespace to run it in
 */
export async function startServer(
  args: readonly string[] = [],
  options: { namespace?: string } = {},
): Promise<ServerProcess> {
  const server = startProcess("../../server.ts", ["--port", "0", ...args], options);
  const port = Number(/:(\d+)$/.exec(await server.line())?.[1]);
  return { port, pid: server.pid, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
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
  await using started = new AsyncDisposableStack();
  const generators = Array.from({ length: processes }, (_, index) => {
    const share = Math.floor((sessions + index) / processes);
    return started.use(startProcess("_load_client.ts", [port, share, seconds].map(String)));
  });
  for (const generator of generators) await generator.line();
  const cpuMs = async () => {
    const [state] = await executor.status();
    if (!state?.up) throw state?.error;
    return state;
  };
  const before = await cpuMs();
  for (const generator of generators) await generator.tell("go");
  const parts: LoadPart[] = await Promise.all(
    generators.map(async (generator) => JSON.parse(await generator.line())),
  );
  const after = await cpuMs();
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

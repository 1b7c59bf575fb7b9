import type { NodeStats } from "../core/mod.ts";
import { table } from "./output.ts";
import { writeFile } from "./files.ts";

/** Where to tell what nodes did, as the command line says. */
export interface StatsOptions {
  stats: boolean;
  statsFile?: string;
  json: boolean;
}

/** Tells what the nodes of all runs did. */
export async function tellStats(
  runs: readonly NodeStats[][],
  { stats, statsFile, json }: StatsOptions,
): Promise<void> {
  const total = sum(runs);
  if (statsFile !== undefined) {
    await writeFile(statsFile, `${JSON.stringify(total, undefined, 2)}\n`);
  }
  if (!stats) return;
  if (json) return console.error(JSON.stringify({ level: "info", stats: total }));
  console.error(table([
    ["node", "in", "out", "dropped", "errors", "busy ms", "p50 ms", "p99 ms"],
    ...total.map(({ name, in: taken, out, dropped, errors, busyMs, latency }) => [
      name,
      ...[taken, out, dropped, errors].map(String),
      ...[busyMs, latency.p50, latency.p99].map((ms) => ms.toFixed(2)),
    ]),
  ]));
}

/** What the nodes of all runs did; latencies are those of the slowest run. */
function sum(runs: readonly NodeStats[][]): NodeStats[] {
  const [first = [], ...others] = runs;
  return first.map((stats, index) =>
    others.reduce<NodeStats>((total, run) => {
      const other = run[index];
      if (other === undefined) return total;
      return {
        ...total,
        in: total.in + other.in,
        out: total.out + other.out,
        dropped: total.dropped + other.dropped,
        errors: total.errors + other.errors,
        busyMs: total.busyMs + other.busyMs,
        latency: other.latency.p99 > total.latency.p99 ? other.latency : total.latency,
      };
    }, stats)
  );
}

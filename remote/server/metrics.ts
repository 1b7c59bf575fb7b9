import {
  Counter,
  Gauge,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";
import { RemoteError, SandboxError } from "../../core/errors.ts";
import type { NodeStats } from "../../core/stats.ts";
import { statusOf } from "../wire/errors.ts";
import { statusName } from "../wire/grpc_status.ts";
import { LatencyMetric } from "./latency_metric.ts";

/** What a server counts, for Prometheus. Labels are node types and gRPC codes, so their number is bounded. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #chunks = new Counter({
    name: "remotemedia_chunks_total",
    help: "Chunks that nodes took and gave",
    labelNames: ["type", "direction"],
    registers: [this.#registry],
  });
  /** Counted in plain numbers, as there is a message every few microseconds. */
  readonly #bytes = { in: 0, out: 0 };
  readonly #errors = new Counter({
    name: "remotemedia_errors_total",
    help: "Sessions that failed, by gRPC code",
    labelNames: ["code"],
    registers: [this.#registry],
  });
  readonly #kills = new Counter({
    name: "remotemedia_sandbox_kills_total",
    help: "Sandboxes that were ended for what they did",
    labelNames: ["reason"],
    registers: [this.#registry],
  });
  readonly #latency = new LatencyMetric();

  /** @param gauges read when somebody asks */
  constructor(gauges: { sessions: () => number; queuedBytes: () => number }) {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    this.#registry.registerMetric(this.#latency as unknown as Metric);
    const bytes = this.#bytes;
    new Counter({
      name: "remotemedia_bytes_total",
      help: "Bytes of stream messages",
      labelNames: ["direction"],
      registers,
      collect() {
        this.reset();
        this.inc({ direction: "in" }, bytes.in);
        this.inc({ direction: "out" }, bytes.out);
      },
    });
    gauge("remotemedia_sessions", "Sessions that run", gauges.sessions);
    gauge("remotemedia_queue_bytes", "Bytes of inputs that wait for nodes", gauges.queuedBytes);
    gauge("remotemedia_rss_bytes", "Memory of the process", () => Deno.memoryUsage().rss);
  }

  /** A message came or went. */
  message(direction: "in" | "out", bytes: number): void {
    this.#bytes[direction] += bytes;
  }

  /** A session or call failed, perhaps as a sandbox was ended. */
  failed(error: unknown): void {
    this.#errors.inc({ code: statusName(statusOf(error).code)! });
    const cause = error instanceof RemoteError ? undefined : (error as Error | undefined)?.cause;
    const killed = [error, cause].find((each) => each instanceof SandboxError);
    if (killed !== undefined) this.#kills.inc({ reason: killed.reason });
  }

  /** Nodes went on from one state of their stats to another. */
  nodes(before: readonly NodeStats[], after: readonly NodeStats[]): void {
    for (const [index, now] of after.entries()) {
      const then = before[index];
      const taken = now.in - (then?.in ?? 0);
      const { type } = now;
      if (taken > 0) {
        this.#chunks.inc({ type, direction: "in" }, taken);
        this.#latency.add(now, then);
      }
      const given = now.out - (then?.out ?? 0);
      if (given > 0) this.#chunks.inc({ type, direction: "out" }, given);
    }
  }

  /** The type of {@linkcode Metrics.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it as data, to be summed with that of other processes. */
  json(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
    return this.#registry.getMetricsAsJSON();
  }

  /** All of it in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

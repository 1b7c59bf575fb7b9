import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";
import type { MetricsData } from "./messages.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** The metrics of all workers as one, with what those counted that are gone. */
export class FrontMetrics {
  readonly #registry = new Registry();
  readonly #pool: WorkerPool;
  /** Counters of workers that ended, summed. Bounded: as many as one worker has. */
  readonly #retired: () => readonly MetricsData[];

  /** @param pool the workers; @param retired counters of those that ended */
  constructor(pool: WorkerPool, retired: () => readonly MetricsData[]) {
    this.#pool = pool;
    this.#retired = retired;
    const registers = [this.#registry];
    new Gauge({
      name: "remotemedia_workers",
      help: "Worker processes that take connections",
      registers,
      collect() {
        this.set(pool.running.length);
      },
    });
    new Counter({
      name: "remotemedia_worker_restarts_total",
      help: "Worker processes that ended and were started again",
      registers,
      collect() {
        this.reset();
        this.inc(pool.restarts);
      },
    });
    new Gauge({
      name: "remotemedia_rss_bytes",
      help: "Memory of the process",
      registers,
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
  }

  /** The type of {@linkcode FrontMetrics.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it in Prometheus' text format. */
  async text(): Promise<string> {
    const workers = this.#pool.running;
    await Promise.all(workers.map((worker) => worker.update()));
    const told = workers.flatMap(({ report }) => report === undefined ? [] : [report.metrics]);
    const own = await this.#registry.getMetricsAsJSON();
    return await summed([...this.#retired(), ...told, own]).metrics();
  }
}

/** Counters of one more worker that ended, added to those before. */
export async function retiredWith(
  before: readonly MetricsData[],
  metrics: MetricsData,
): Promise<MetricsData[]> {
  const counters = metrics.filter(({ type }) => String(type) !== "gauge");
  return [await summed([...before, counters]).getMetricsAsJSON()];
}

function summed(all: readonly MetricsData[]): Registry {
  return AggregatorRegistry.aggregate([...all]);
}

import { latencyCounts, type NodeStats } from "../../core/stats.ts";

/** Every fourth octave of the counts of a node: 1 µs, 4 µs, 16 µs … 67 s. The edges are the same, so none is guessed. */
const STEP = 4;
const EDGES = Array.from({ length: 14 }, (_, index) => STEP * index);

const name = "remotemedia_node_latency_seconds";
const help = "Time of chunks in a node, of fast nodes each 64th chunk counted for all; " +
  "of nodes in sandboxes the mean over each half second";

/** What was counted of one node type. */
interface Counted {
  /** Chunks by bucket, not summed up; one more for those beyond all edges. */
  buckets: Float64Array;
  seconds: number;
}

interface Value {
  labels: Record<string, string | number>;
  metricName: string;
  value: number;
}

/**
 * The time of chunks in nodes as a Prometheus histogram, by node type. Taken over from what nodes count
 * themselves, so that no chunk costs more for it. Holds 15 numbers for each type.
 */
export class LatencyMetric {
  /** As Prometheus knows it. */
  readonly name: string = name;
  readonly #types = new Map<string, Counted>();

  /** A node went on from one state of its stats to another. */
  add(now: NodeStats, then: NodeStats | undefined): void {
    const counted = this.#types.get(now.type) ??
      { buckets: new Float64Array(EDGES.length + 1), seconds: 0 };
    this.#types.set(now.type, counted);
    const busyMs = now.busyMs - (then?.busyMs ?? 0);
    counted.seconds += busyMs / 1_000;
    const counts = latencyCounts(now.latency);
    if (counts === undefined) {
      const chunks = now.in - (then?.in ?? 0);
      const halfOctave = Math.max(0, Math.ceil(2 * Math.log2(1_000 * busyMs / chunks)));
      counted.buckets[bucketOf(halfOctave)]! += chunks;
      return;
    }
    const before = then && latencyCounts(then.latency);
    for (const [halfOctave, count] of counts.entries()) {
      const more = count - (before?.[halfOctave] ?? 0);
      if (more > 0) counted.buckets[bucketOf(halfOctave)]! += more;
    }
  }

  /** What prom-client asks for. */
  get(): { name: string; help: string; type: "histogram"; aggregator: "sum"; values: Value[] } {
    const values = [...this.#types].flatMap(([type, { buckets, seconds }]) => {
      let sum = 0;
      const told = [...buckets].map((count, index): Value => {
        sum += count;
        const le = index < EDGES.length ? 2 ** (EDGES[index]! / 2) / 1e6 : "+Inf";
        return { labels: { le, type }, metricName: `${name}_bucket`, value: sum };
      });
      const labels = { type };
      told.push({ labels, metricName: `${name}_sum`, value: seconds });
      told.push({ labels, metricName: `${name}_count`, value: sum });
      return told;
    });
    return { name, help, type: "histogram", aggregator: "sum", values };
  }
}

function bucketOf(halfOctave: number): number {
  return Math.min(Math.ceil(halfOctave / STEP), EDGES.length);
}

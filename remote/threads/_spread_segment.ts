import { PipelineError } from "../../core/errors.ts";
import type { Segment } from "../../core/executor.ts";
import { Barrier } from "../../core/stage/barrier.ts";
import type { NodeStats } from "../../core/stats.ts";

/** One of the segments that share the work. */
interface Share {
  segment: Segment;
  writer: WritableStreamDefaultWriter<unknown>;
  reader: ReadableStreamDefaultReader<unknown>;
}

/**
 * The same stateless node several times: each chunk goes to the next one, and outputs are read in the order of
 * the inputs. A barrier behind each chunk tells where its outputs end. Holds what the segments hold.
 */
export class SpreadSegment implements Segment {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly capacity: number;
  readonly #shares: readonly Share[];
  /** Chunks that were written, and those of which all outputs were read. */
  #written = 0;
  #read = 0;
  #ended = false;
  #change: (() => void) | undefined;
  #draining = 0;

  /** @param segments at least one */
  constructor(segments: readonly Segment[]) {
    this.#shares = segments.map((segment) => ({
      segment,
      writer: segment.writable.getWriter(),
      reader: segment.readable.getReader(),
    }));
    for (const { writer } of this.#shares) writer.closed.catch(() => {}); // the reader is told the same
    this.capacity = segments.reduce((sum, { capacity }) => sum + capacity, 1);
    this.readable = new ReadableStream<unknown>({
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => this.stop(reason),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      write: (chunk) => this.#write(chunk),
      close: async () => {
        this.#ended = true;
        this.#change?.();
        await Promise.all(this.#shares.map(({ writer }) => writer.close()));
      },
      abort: (reason) => this.stop(reason),
    });
  }

  /** @throws {PipelineError} if there is a state of it: none of the threads could say what the others did */
  restore(states: ReadonlyMap<string, unknown>): void {
    const { name } = this.stats()[0]!;
    if (!states.has(name)) return;
    throw new PipelineError(`Cannot restore node "${name}" as it runs in several threads at once`);
  }

  async interrupt(): Promise<void> {
    await Promise.all(this.#shares.map(({ segment }) => segment.interrupt()));
  }

  async stop(reason: unknown): Promise<void> {
    this.#ended = true;
    this.#change?.();
    await Promise.all(this.#shares.map(({ segment }) => segment.stop(reason)));
  }

  stats(): NodeStats[] {
    const all = this.#shares.map(({ segment }) => segment.stats()[0]!);
    return [all.reduce(sumOf)];
  }

  async #write(chunk: unknown): Promise<void> {
    const number = this.#written;
    const { writer } = this.#shares[number % this.#shares.length]!;
    await writer.ready;
    this.#written++;
    this.#change?.();
    if (chunk instanceof Barrier) return void writer.write(chunk).catch(() => {}); // the reader is told
    void writer.write(chunk).catch(() => {});
    void writer.write(new Barrier(number)).catch(() => {});
  }

  /** Reads on in the segment whose turn it is. */
  async #pull(controller: ReadableStreamDefaultController<unknown>): Promise<void> {
    while (true) {
      while (this.#read === this.#written && !this.#ended) {
        await new Promise<void>((resolve) => this.#change = resolve);
      }
      if (this.#read === this.#written) return await this.#drain(controller);
      const { reader } = this.#shares[this.#read % this.#shares.length]!;
      const { done, value } = await reader.read();
      if (done) return controller.close();
      if (value instanceof Barrier && value.sequence === this.#read && !value.snapshot) {
        this.#read++;
        continue;
      }
      if (value instanceof Barrier) this.#read++;
      return controller.enqueue(value);
    }
  }

  /** What the segments still give at their ends, one after another. */
  async #drain(controller: ReadableStreamDefaultController<unknown>): Promise<void> {
    while (this.#draining < this.#shares.length) {
      const { done, value } = await this.#shares[this.#draining]!.reader.read();
      if (!done) return controller.enqueue(value);
      this.#draining++;
    }
    controller.close();
  }
}

function sumOf(a: NodeStats, b: NodeStats): NodeStats {
  const slower = (share: keyof NodeStats["latency"]) =>
    Math.max(a.latency[share], b.latency[share]);
  return {
    ...a,
    in: a.in + b.in,
    out: a.out + b.out,
    dropped: a.dropped + b.dropped,
    errors: a.errors + b.errors,
    busyMs: a.busyMs + b.busyMs,
    queueDepth: a.queueDepth + b.queueDepth,
    latency: { p50: slower("p50"), p95: slower("p95"), p99: slower("p99") },
  };
}

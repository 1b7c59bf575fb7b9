import { PipelineError } from "../../core/errors.ts";
import type { Executor, NodeSpec, Segment } from "../../core/executor.ts";
import { Endpoint } from "./endpoint.ts";
import { type CheckedOptions, checkOptions, type RemoteExecutorOptions } from "./options.ts";
import { type Dialed, RemoteSegment } from "./remote_segment.ts";

/**
 * Runs nodes on a server: give it as `executor` to each node that is to run there. Connects when the first
 * chunk flows, and shares one connection between all of its sessions.
 *
 * A session holds at most `maxInFlight` chunks and `maxInFlightBytes` bytes of inputs until they are
 * worked on, and as much of outputs until they are read.
 *
 * @example
 * ```ts
 * import { PassThrough, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
 * import { serve } from "@remotemedia/sdk/server";
 *
 * await using server = await serve({ port: 0 });
 * await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
 * const pipeline = new Pipeline([new PassThrough({}, { executor })]);
 * console.log(await Array.fromAsync(pipeline.run(["a", "b"]))); // ["a", "b"]
 * ```
 */
export class RemoteExecutor implements Executor, AsyncDisposable {
  /** `host:port` of its servers. */
  readonly name: string;
  readonly #options: CheckedOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #segments = new Set<RemoteSegment>();
  #closed = false;

  /**
   * @param options where the servers are, and how to deal with them
   * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
   */
  constructor(options: RemoteExecutorOptions = {}) {
    this.#options = checkOptions(options);
    const { endpoints = [this.#options] } = this.#options;
    this.#endpoints = endpoints.map((endpoint) => new Endpoint(endpoint, this.#options));
    this.name = this.#endpoints.map(({ where }) => where).join(", ");
  }

  /** Starts nodes as one session; see `Executor.open`. @throws {PipelineError} if it is closed */
  open(nodes: readonly NodeSpec[]): Segment {
    if (this.#closed) throw new PipelineError(`Cannot run nodes at ${this.name} as it is closed`);
    const { maxInFlight, maxInFlightBytes, snapshotIntervalMs, retry } = this.#options;
    const started = Date.now();
    const segment: RemoteSegment = new RemoteSegment(nodes, {
      dial: (attempt, signal) => this.#dial(attempt, { signal, started }),
      ended: () => void this.#segments.delete(segment),
      attempts: retry === false ? 0 : retry.attempts,
      resume: retry !== false,
      limits: {
        chunks: maxInFlight,
        bytes: maxInFlightBytes,
        ackIntervalMs: snapshotIntervalMs,
      },
    });
    this.#segments.add(segment);
    return segment;
  }

  /** Ends all sessions and the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const reason = new PipelineError(`The executor of ${this.name} was closed`);
    await Promise.all([...this.#segments].map((segment) => segment.stop(reason)));
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  async #dial(
    attempt: number,
    { signal, started }: { signal: AbortSignal; started: number },
  ): Promise<Dialed> {
    if (attempt > 0) await this.#backOff(attempt, signal);
    const endpoint = this.#endpoints[attempt % this.#endpoints.length]!;
    const { timeoutMs } = this.#options;
    const deadline = timeoutMs === undefined ? undefined : started + timeoutMs;
    return {
      call: endpoint.stream(deadline),
      where: endpoint.where,
      reservation: "",
      report: () => {},
    };
  }

  /** Waits before another try: twice as long each time, and half of it by chance. */
  async #backOff(attempt: number, signal: AbortSignal): Promise<void> {
    const { retry } = this.#options;
    if (retry === false) return;
    const delay = Math.min(retry.maxDelayMs, retry.minDelayMs * 2 ** (attempt - 1));
    const jittered = delay * (0.5 + Math.random() / 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, jittered);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  }
}

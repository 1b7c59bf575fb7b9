import { PipelineError, RemoteError } from "../../core/errors.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import type { BundleUploads } from "../objects/bundle_uploads.ts";
import type { CallSpan } from "../wire/tracing.ts";
import { Endpoint, type UnaryMethod } from "./endpoint.ts";
import type { CheckedOptions } from "./options.ts";
import {
  place,
  type Placed,
  type PlaceLimits,
  PROBE_MS,
  reportFailure,
  worthATry,
} from "./placement.ts";

/** What a unary call has beside its request. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  span?: CallSpan;
  /** What the server must have first. */
  bundles?: readonly Bundle[];
}

/** The servers of an executor: which of them is called, when again, and how long it may take. */
export class Servers {
  /** `host:port` of each. */
  readonly name: string;
  /** The servers, in the order in which they were named. */
  readonly endpoints: readonly Endpoint[];
  readonly #options: CheckedOptions;
  readonly #uploads: BundleUploads;
  #closed = false;

  constructor(options: CheckedOptions, uploads: BundleUploads) {
    const { endpoints = [options] } = options;
    this.endpoints = endpoints.map((endpoint) => new Endpoint(endpoint, options));
    this.name = this.endpoints.map(({ where }) => where).join(", ");
    this.#options = options;
    this.#uploads = uploads;
  }

  /** @throws {PipelineError} if they were closed */
  assertOpen(): void {
    if (this.#closed) throw new PipelineError(`Cannot use ${this.name} as its executor is closed`);
  }

  /** When what began at a time must be over, in ms since 1970; `undefined` for never. */
  deadline(began: number): number | undefined {
    const { timeoutMs } = this.#options;
    return timeoutMs === undefined ? undefined : began + timeoutMs;
  }

  /** Finds a place for a session. @param attempt how many failed before this one: it waits the longer */
  async place(attempt: number, limits: PlaceLimits): Promise<Placed> {
    this.assertOpen();
    if (attempt > 0) await this.#backOff(attempt, limits);
    return await place(this.endpoints, limits);
  }

  /** A unary call to the first server that answers. */
  async call(
    method: UnaryMethod,
    request: Uint8Array,
    { signal, span, bundles = [] }: CallOptions = {},
  ): Promise<Uint8Array> {
    this.assertOpen();
    const deadline = this.deadline(Date.now());
    const withinMs = this.endpoints.length > 1 ? PROBE_MS : undefined;
    let refusal: unknown;
    for (const endpoint of worthATry(this.endpoints)) {
      try {
        span?.set(endpoint.attributes);
        await endpoint.connect({ withinMs, deadline, signal });
        signal?.throwIfAborted();
        await this.#uploads.bring(bundles, endpoint);
        return await endpoint.unary(method, request, { deadline, signal, span });
      } catch (error) {
        reportFailure(endpoint, error);
        if (!(error instanceof RemoteError && error.retryable)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** A unary call to each server; the last answer. */
  async callAll(method: UnaryMethod, request: Uint8Array): Promise<Uint8Array> {
    this.assertOpen();
    const deadline = this.deadline(Date.now());
    const answers = await Promise.all(this.endpoints.map(async (endpoint) => {
      await endpoint.connect({ deadline });
      return await endpoint.unary(method, request, { deadline });
    }));
    return answers.at(-1)!;
  }

  /** From now on, takes no more. */
  refuse(): void {
    this.#closed = true;
  }

  /** Ends all connections, for good. */
  close(): void {
    this.#closed = true;
    for (const endpoint of this.endpoints) endpoint.close();
  }

  /** Waits before another try: twice as long each time, and half of it by chance. */
  async #backOff(attempt: number, { signal, deadline = Infinity }: PlaceLimits): Promise<void> {
    const { retry } = this.#options;
    if (retry === false) return;
    const delay = Math.min(retry.maxDelayMs, retry.minDelayMs * 2 ** (attempt - 1));
    const jittered = delay * (0.5 + Math.random() / 2);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, Math.min(jittered, deadline - Date.now())));
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
  }
}

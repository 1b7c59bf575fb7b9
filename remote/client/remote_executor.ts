import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { PipelineError, RemoteError } from "../../core/errors.ts";
import type { Executor, NodeSpec, Segment } from "../../core/executor.ts";
import type { AnyNode } from "../../core/node.ts";
import { uniqueNames } from "../../core/stage/connect.ts";
import { type Chunk, ChunkSchema } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  ListNodesRequestSchema,
  ListNodesResponseSchema,
  StreamRequestSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import { BundleUploads } from "../objects/bundle_uploads.ts";
import { CallbackTable } from "../objects/object_channel.ts";
import { RemoteChannel } from "../objects/remote_channel.ts";
import { type RemoteModule, remoteModule } from "../objects/remote_module.ts";
import { localizeError } from "../sandbox/localize_failure.ts";
import { readChunk } from "../wire/batch_reader.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { PROTOCOL_VERSION, writeSpec } from "../wire/messages.ts";
import { ProtoReader } from "../wire/proto_reader.ts";
import { activeContext, CallSpan } from "../wire/tracing.ts";
import { Endpoint, type UnaryMethod } from "./endpoint.ts";
import { type CheckedOptions, checkOptions, type RemoteExecutorOptions } from "./options.ts";
import { PipelineRegistry } from "./pipeline_registry.ts";
import { place, statusOfEndpoint } from "./placement.ts";
import { RemoteSegment } from "./remote_segment.ts";
import type { Dialed } from "./segment_host.ts";

/** A node type that a server offers. */
export interface RemoteNodeType {
  /** Its name. */
  type: string;
  /** The JSON Schema of its options. */
  optionsSchema: Record<string, unknown> | undefined;
}

/** How a server does. */
export type RemoteStatus =
  | {
    /** `host:port`. */
    where: string;
    /** Whether it answers. */
    up: true;
    /** The version of its software. */
    version: string;
    /** Sessions that run. */
    sessions: number;
    /** The most that may run. */
    maxSessions: number;
    /** Places that are kept for sessions to come. */
    reserved: number;
    /** Whether it takes no new sessions. */
    draining: boolean;
    /** Memory of its process, in bytes. */
    rssBytes: number;
    /** How long it runs, in ms. */
    uptimeMs: number;
    /** CPU time that it took, in ms. */
    cpuMs: number;
  }
  | {
    /** `host:port`. */
    where: string;
    /** Whether it answers. */
    up: false;
    /** Why not. */
    error: Error;
  };

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
  readonly #uploads = new BundleUploads();
  readonly #modules = new Set<RemoteChannel>();
  #closed = false;

  /**
   * Connects when it is first used.
   *
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
    const specs = nodes.map((spec) => ({ ...spec })); // the module of user code becomes its bundle
    const bundles: Bundle[] = [];
    return this.#segment(specs, {
      prepare: async () => {
        bundles.push(...await this.#uploads.packageNodes(specs));
        return bundles;
      },
      localize: (error) => localizeError(error, bundles),
    });
  }

  /** The pipelines that its server keeps under names. */
  get pipelines(): PipelineRegistry {
    return new PipelineRegistry({
      call: (method, request, { everywhere = false, signal } = {}) =>
        everywhere ? this.#everywhere(method, request) : this.#unary(method, request, { signal }),
      package: (module) => this.#uploads.package(module),
      bring: async (bundles) => {
        for (const endpoint of this.#endpoints) await this.#uploads.bring(bundles, endpoint);
      },
      open: (pipeline) => this.#segment([], { pipeline }),
    });
  }

  /** A session; `prepare` gives the bundles that the server must have first. */
  #segment(
    specs: readonly NodeSpec[],
    { prepare, ...host }: {
      prepare?: () => Promise<Bundle[]>;
      localize?: (error: Error) => void;
      pipeline?: string;
    },
  ): RemoteSegment {
    if (this.#closed) throw new PipelineError(`Cannot run nodes at ${this.name} as it is closed`);
    const { maxInFlight, maxInFlightBytes, snapshotIntervalMs, retry } = this.#options;
    const started = Date.now();
    const { pipeline } = host;
    const attributes = {
      "remotemedia.nodes": specs.map(({ type }) => type),
      ...(pipeline !== undefined && { "remotemedia.pipeline": pipeline }),
    };
    const parent = activeContext();
    let span: CallSpan | undefined;
    const segment: RemoteSegment = new RemoteSegment(specs, {
      ...host,
      dial: async (attempt, signal) => {
        if (span !== undefined) span.event("reconnect", { "remotemedia.attempt": attempt });
        span ??= CallSpan.ofClient("Stream", attributes, parent);
        const bundles = await prepare?.() ?? [];
        const dialed = await this.#dial(attempt, { signal });
        span.set(dialed.endpoint.attributes);
        await this.#uploads.bring(bundles, dialed.endpoint);
        return { ...dialed, call: dialed.endpoint.stream(this.#deadline(started), span) };
      },
      ended: (reason) => {
        span?.end(reason);
        this.#segments.delete(segment);
      },
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

  /**
   * Loads a module of the user's own on a server, in a sandbox: its functions, classes and objects are used
   * from here. The module outlives connections; it ends with its disposal, this executor, or after a while
   * without use.
   *
   * @typeParam T the module: `typeof import("./m.ts")`
   * @param module where it is: `new URL("./m.ts", import.meta.url)`
   * @throws {PackagingError} if it cannot be packaged
   * @throws {RemoteError} if the server cannot be reached, or takes no user code
   * @throws {SandboxError} if it passes a limit while it loads; and whatever it throws
   */
  async import<T>(module: string | URL): Promise<RemoteModule<T>> {
    if (this.#closed) throw new PipelineError(`Cannot use ${this.name} as it is closed`);
    const bundle = await this.#uploads.package(String(module));
    const { endpoint } = await place(this.#endpoints, new AbortController().signal);
    await this.#uploads.bring([bundle], endpoint);
    const callbacks = new CallbackTable();
    const channel: RemoteChannel = new RemoteChannel(endpoint, {
      bundle,
      callbacks,
      ended: () => void this.#modules.delete(channel),
    });
    this.#modules.add(channel);
    await channel.open();
    return remoteModule<T>(channel, callbacks);
  }

  /**
   * Runs a list of chunks through a line of nodes in one call, flush included. The user's own classes travel.
   *
   * @param nodes at least one; where they are set to run is not looked at
   * @param chunks all of the input
   * @returns all of the output
   * @throws {NodeError} if a node throws
   * @throws {PackagingError} if a node's module cannot be packaged
   * @throws {RemoteError} if the server cannot be reached, or the output is too large for one message
   */
  async execute(
    nodes: readonly AnyNode[],
    chunks: Iterable<unknown>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<unknown[]> {
    const names = uniqueNames(nodes);
    const specs = nodes.map((node, index) => ({ ...node.toSpec(), name: names[index]! }));
    const bundles = await this.#uploads.packageNodes(specs);
    const request = toBinary(
      ExecuteRequestSchema,
      create(ExecuteRequestSchema, {
        protocolVersion: PROTOCOL_VERSION,
        segment: specs.map(writeSpec),
        chunks: messagesOf(chunks),
      }),
    );
    const span = CallSpan.ofClient("Execute", {
      "remotemedia.nodes": nodes.map(({ type }) => type),
    }, activeContext());
    let response: Uint8Array;
    try {
      response = await this.#unary("execute", request, { signal, span, bundles });
      span.end();
    } catch (error) {
      localizeError(error, bundles);
      span.end(error);
      throw error;
    }
    const { chunks: outputs } = fromBinary(ExecuteResponseSchema, response);
    const values: unknown[] = [];
    for (const output of outputs) {
      readChunk(values, new ProtoReader(toBinary(ChunkSchema, output)), { maxChunks: Infinity });
    }
    return values;
  }

  /**
   * The node types that the server offers.
   *
   * @throws {RemoteError} if it cannot be reached
   */
  async listNodes({ signal }: { signal?: AbortSignal } = {}): Promise<RemoteNodeType[]> {
    const request = toBinary(ListNodesRequestSchema, create(ListNodesRequestSchema));
    const response = await this.#unary("listNodes", request, { signal });
    return fromBinary(ListNodesResponseSchema, response).nodes.map(({ type, optionsSchema }) => ({
      type,
      optionsSchema: optionsSchema === "" ? undefined : JSON.parse(optionsSchema),
    }));
  }

  /**
   * How each of the servers does; one that cannot be reached is told with its error.
   */
  async status({ signal }: { signal?: AbortSignal } = {}): Promise<RemoteStatus[]> {
    return await Promise.all(this.#endpoints.map(async (endpoint): Promise<RemoteStatus> => {
      const { where } = endpoint;
      try {
        const told = await statusOfEndpoint(endpoint, signal);
        const { version, sessions, maxSessions, reserved, draining } = told;
        const [rssBytes, uptimeMs] = [Number(told.rssBytes), Number(told.uptimeMs)];
        const cpuMs = Number(told.cpuMs);
        return {
          where,
          up: true,
          version,
          sessions,
          maxSessions,
          reserved,
          draining,
          rssBytes,
          uptimeMs,
          cpuMs,
        };
      } catch (error) {
        return { where, up: false, error: error as Error };
      }
    }));
  }

  /** Ends all sessions and the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const reason = new PipelineError(`The executor of ${this.name} was closed`);
    await Promise.all([...this.#segments].map((segment) => segment.stop(reason)));
    await Promise.all([...this.#modules].map((module) => module.close()));
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** A unary call to the first endpoint that answers. */
  async #unary(
    method: UnaryMethod,
    request: Uint8Array,
    { signal, span, bundles = [] }: {
      signal?: AbortSignal | undefined;
      span?: CallSpan;
      /** What the server must have first. */
      bundles?: readonly Bundle[];
    },
  ): Promise<Uint8Array> {
    if (this.#closed) throw new PipelineError(`Cannot call ${this.name} as it is closed`);
    const deadline = this.#deadline(Date.now());
    let refusal: unknown;
    for (const endpoint of this.#endpoints) {
      try {
        span?.set(endpoint.attributes);
        await this.#uploads.bring(bundles, endpoint);
        return await endpoint.unary(method, request, { deadline, signal, span });
      } catch (error) {
        if (!(error instanceof RemoteError && error.retryable)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** A unary call to each endpoint; the last answer. */
  async #everywhere(method: UnaryMethod, request: Uint8Array): Promise<Uint8Array> {
    const deadline = this.#deadline(Date.now());
    const answers = await Promise.all(
      this.#endpoints.map((endpoint) => endpoint.unary(method, request, { deadline })),
    );
    return answers.at(-1)!;
  }

  async #dial(
    attempt: number,
    { signal }: { signal: AbortSignal },
  ): Promise<Omit<Dialed, "call"> & { endpoint: Endpoint }> {
    if (attempt > 0) await this.#backOff(attempt, signal);
    const { endpoint, reservation } = await place(this.#endpoints, signal);
    return {
      endpoint,
      where: endpoint.where,
      reservation,
      report(failure) {
        if (failure === undefined) endpoint.breaker.succeed();
        else if (failure instanceof RemoteError && failure.code === status.UNAVAILABLE) {
          endpoint.breaker.fail();
        }
      },
    };
  }

  #deadline(started: number): number | undefined {
    const { timeoutMs } = this.#options;
    return timeoutMs === undefined ? undefined : started + timeoutMs;
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

/** Chunks as the generated code has them. */
function messagesOf(chunks: Iterable<unknown>): Chunk[] {
  const writer = new BatchWriter();
  for (const chunk of chunks) writer.add(chunk);
  const { message } = fromBinary(StreamRequestSchema, writer.finish(1).message);
  return message.case === "chunks" ? message.value.chunks : [];
}

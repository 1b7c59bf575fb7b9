import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Executor, NodeSpec, Segment } from "../../core/executor.ts";
import type { AnyNode } from "../../core/node.ts";
import { uniqueNames } from "../../core/stage/connect.ts";
import {
  ListNodesRequestSchema,
  ListNodesResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import { BundleUploads } from "../objects/bundle_uploads.ts";
import { CallbackTable } from "../objects/object_channel.ts";
import { RemoteChannel } from "../objects/remote_channel.ts";
import { type RemoteModule, remoteModule } from "../objects/remote_module.ts";
import { PipelineError } from "../../core/errors.ts";
import { localizeError } from "../sandbox/localize_failure.ts";
import { activeContext, CallSpan } from "../wire/tracing.ts";
import { readOutputs, writeExecute } from "./execute_call.ts";
import { type CheckedOptions, checkOptions, type RemoteExecutorOptions } from "./options.ts";
import { PipelineRegistry } from "./pipeline_registry.ts";
import { reportFailure } from "./placement.ts";
import { RemoteSegment } from "./remote_segment.ts";
import { type RemoteStatus, remoteStatus } from "./remote_status.ts";
import { Servers } from "./servers.ts";

/** A node type that a server offers. */
export interface RemoteNodeType {
  /** Its name. */
  type: string;
  /** The JSON Schema of its options. */
  optionsSchema: Record<string, unknown> | undefined;
}

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
  readonly #servers: Servers;
  readonly #segments = new Set<RemoteSegment>();
  readonly #uploads = new BundleUploads();
  readonly #modules = new Set<RemoteChannel>();

  /**
   * Connects when it is first used.
   *
   * @param options where the servers are, and how to deal with them
   * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
   */
  constructor(options: RemoteExecutorOptions = {}) {
    this.#options = checkOptions(options);
    this.#servers = new Servers(this.#options, this.#uploads);
    this.name = this.#servers.name;
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
        everywhere
          ? this.#servers.callAll(method, request)
          : this.#servers.call(method, request, { signal }),
      package: (module) => this.#uploads.package(module),
      bring: async (bundles) => {
        for (const endpoint of this.#servers.endpoints) {
          await endpoint.connect();
          await this.#uploads.bring(bundles, endpoint);
        }
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
    this.#servers.assertOpen();
    const { maxInFlight, maxInFlightBytes, snapshotIntervalMs, retry } = this.#options;
    const { pipeline } = host;
    const attributes = {
      "remotemedia.nodes": specs.map(({ type }) => type),
      ...(pipeline !== undefined && { "remotemedia.pipeline": pipeline }),
    };
    const parent = activeContext();
    let [span, began]: [CallSpan | undefined, number | undefined] = [undefined, undefined];
    const segment: RemoteSegment = new RemoteSegment(specs, {
      ...host,
      dial: async (attempt, signal) => {
        began ??= Date.now(); // of the session, not of the pipeline, which may have been made long before
        if (span !== undefined) span.event("reconnect", { "remotemedia.attempt": attempt });
        span ??= CallSpan.ofClient("Stream", attributes, parent);
        const bundles = await prepare?.() ?? [];
        const deadline = this.#servers.deadline(began);
        const { endpoint, reservation } = await this.#servers.place(attempt, { signal, deadline });
        span.set(endpoint.attributes);
        await this.#uploads.bring(bundles, endpoint);
        return {
          call: endpoint.stream(deadline, span),
          where: endpoint.where,
          reservation,
          report(failure) {
            if (failure === undefined) endpoint.breaker.succeed();
            else reportFailure(endpoint, failure);
          },
        };
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
    this.#servers.assertOpen();
    const bundle = await this.#uploads.package(String(module));
    const { endpoint } = await this.#servers.place(0, {});
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
    const request = writeExecute(specs, chunks);
    const span = CallSpan.ofClient("Execute", {
      "remotemedia.nodes": nodes.map(({ type }) => type),
    }, activeContext());
    let response: Uint8Array;
    try {
      response = await this.#servers.call("execute", request, { signal, span, bundles });
      span.end();
    } catch (error) {
      localizeError(error, bundles);
      span.end(error);
      throw error;
    }
    return readOutputs(response);
  }

  /**
   * The node types that the server offers.
   *
   * @throws {RemoteError} if it cannot be reached
   */
  async listNodes({ signal }: { signal?: AbortSignal } = {}): Promise<RemoteNodeType[]> {
    const request = toBinary(ListNodesRequestSchema, create(ListNodesRequestSchema));
    const response = await this.#servers.call("listNodes", request, { signal });
    return fromBinary(ListNodesResponseSchema, response).nodes.map(({ type, optionsSchema }) => ({
      type,
      optionsSchema: optionsSchema === "" ? undefined : JSON.parse(optionsSchema),
    }));
  }

  /**
   * How each of the servers does; one that cannot be reached is told with its error.
   *
   * @throws {PipelineError} if it is closed
   */
  async status({ signal }: { signal?: AbortSignal } = {}): Promise<RemoteStatus[]> {
    this.#servers.assertOpen();
    return await Promise.all(
      this.#servers.endpoints.map((endpoint) => remoteStatus(endpoint, signal)),
    );
  }

  /** Ends all sessions and the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#servers.refuse();
    const reason = new PipelineError(`The executor of ${this.name} was closed`);
    await Promise.all([...this.#segments].map((segment) => segment.stop(reason)));
    await Promise.all([...this.#modules].map((module) => module.close()));
    this.#servers.close();
  }
}

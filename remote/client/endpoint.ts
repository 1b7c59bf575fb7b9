import type {
  CallOptions,
  ChannelCredentials,
  Client,
  Metadata,
  ServiceError,
} from "@grpc/grpc-js";
import { PipelineError, RemoteError } from "../../core/errors.ts";
import { ExecutionService } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { PipelineService } from "../../proto/gen/remotemedia/v1/pipeline_service_pb.ts";
import { errorOf } from "../wire/errors.ts";
import { FLOW_CONTROL_WINDOW } from "../wire/flow_control.ts";
import { grpc, loadGrpc } from "../wire/grpc.ts";
import { status } from "../wire/grpc_status.ts";
import { sameBytes, toBuffer } from "../wire/raw_message.ts";
import { makeHttp2Safe } from "../wire/safe_http2.ts";
import type { CallSpan } from "../wire/tracing.ts";
import { Breaker } from "./breaker.ts";
import type { CheckedOptions, EndpointOptions, TlsOptions } from "./options.ts";
import type { StreamCall } from "./stream_connection.ts";

/** The unary calls, by their names in the generated code. */
export type UnaryMethod =
  | Exclude<keyof typeof ExecutionService.method, "stream">
  | keyof typeof PipelineService.method;

/** One server, and the one channel to it that all sessions share. Connects when first used. */
export class Endpoint {
  /** What to call it in errors: `host:port`. */
  readonly where: string;
  /** Knows whether it is worth a try. */
  readonly breaker: Breaker = new Breaker();
  /** Where it is, as OpenTelemetry names it. */
  readonly attributes: { "server.address": string; "server.port"?: number };
  readonly #target: string;
  readonly #options: CheckedOptions;
  readonly #tls: TlsOptions | false;
  #client: Client | undefined;
  /** Aborted once it is closed. */
  readonly #closing = new AbortController();

  constructor(
    { host = "127.0.0.1", port = 50_052, target }: EndpointOptions,
    options: CheckedOptions,
  ) {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.where = target ?? address;
    this.attributes = target === undefined
      ? { "server.address": host, "server.port": port }
      : { "server.address": target.slice("unix:".length) };
    this.#target = target ?? address;
    this.#options = options;
    this.#tls = options.tls ?? (target !== undefined || isLoopback(host) ? false : {});
  }

  /**
   * Connects, if it is not connected: resolves when a call is answered, or fails at once. grpc-js itself waits for
   * ever for a server that takes the connection and says nothing.
   *
   * @param options the time that the server has to say something, in ms; what ends the waiting before
   * @throws {RemoteError} UNAVAILABLE, if it says nothing
   */
  async connect(
    { withinMs = silenceMs(this.#options), deadline = Infinity, signal }: {
      withinMs?: number;
      deadline?: number | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<void> {
    const { connectivityState } = await loadGrpc();
    const client = this.#open();
    const channel = client.getChannel();
    const { promise, resolve } = Promise.withResolvers<void>();
    let isMute = false;
    const patience = Math.max(0, Math.min(withinMs, deadline - Date.now()));
    const timer = setTimeout(() => {
      isMute = patience === withinMs;
      resolve();
    }, patience);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    const look = () => {
      const state = channel.getConnectivityState(false);
      if (state === connectivityState.IDLE) channel.getConnectivityState(true); // connects
      if (state === connectivityState.IDLE || state === connectivityState.CONNECTING) {
        channel.watchConnectivityState(state, Infinity, look);
      } else resolve();
    };
    look();
    if (!signal?.aborted) await promise;
    clearTimeout(timer);
    if (!isMute) return;
    if (this.#client === client) this.#client = undefined; // the next call connects anew
    client.close();
    throw new RemoteError(
      `Cannot reach a server at ${this.where}: it takes the connection, and says nothing for ${withinMs} ms`,
      { code: status.UNAVAILABLE, retryable: true },
    );
  }

  /** Begins a `Stream` call; once it was connected. @param span what it belongs to, for whoever traces */
  stream(deadline: number | undefined, span?: CallSpan): StreamCall {
    return this.#open().makeBidiStreamRequest(
      pathOf("stream"),
      toBuffer,
      sameBytes,
      this.#metadata(span),
      callOptions(deadline),
    );
  }

  /** The client and the metadata for calls of other services; once it was connected. */
  calls(): { client: Client; metadata: Metadata } {
    return { client: this.#open(), metadata: this.#metadata() };
  }

  /**
   * Makes a unary call.
   *
   * @throws what the server told, or a {@linkcode RemoteError}
   */
  async unary(
    method: UnaryMethod,
    request: Uint8Array,
    { deadline, signal, span }: {
      deadline?: number | undefined;
      signal?: AbortSignal | undefined;
      span?: CallSpan | undefined;
    } = {},
  ): Promise<Uint8Array> {
    await loadGrpc();
    const client = this.#open();
    const ended = AbortSignal.any([
      this.#closing.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        pathOf(method),
        toBuffer,
        sameBytes,
        request,
        this.#metadata(span),
        callOptions(deadline),
        (error: ServiceError | null, response?: Uint8Array) => {
          ended.removeEventListener("abort", cancel);
          if (error === null) resolve(response!);
          else if (ended.aborted) reject(ended.reason);
          else reject(errorOf(error, this.where));
        },
      );
      const cancel = () => call.cancel();
      if (ended.aborted) cancel();
      ended.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Ends the channel and all unary calls, for good. */
  close(): void {
    this.#closing.abort(new PipelineError(`The executor of ${this.where} was closed`));
    this.#client?.close();
    this.#client = undefined;
  }

  #open(): Client {
    if (this.#closing.signal.aborted) {
      throw new PipelineError(`Cannot call ${this.where} as its executor is closed`);
    }
    const { keepaliveMs } = this.#options;
    makeHttp2Safe();
    const { Client } = grpc();
    this.#client ??= new Client(this.#target, credentialsOf(this.#tls), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW,
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": silenceMs(this.#options) - keepaliveMs,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2_000,
      "grpc.use_local_subchannel_pool": 1, // executors do not share what they close
    });
    return this.#client;
  }

  #metadata(span?: CallSpan): Metadata {
    const { Metadata } = grpc();
    const metadata = new Metadata();
    span?.inject(metadata);
    const { token } = this.#options;
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }
}

/** How long a server may say nothing before it counts as one that is gone, in ms. */
function silenceMs({ keepaliveMs }: CheckedOptions): number {
  return keepaliveMs + Math.max(1_000, keepaliveMs / 2);
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

function credentialsOf(tls: TlsOptions | false): ChannelCredentials {
  const { credentials } = grpc();
  if (tls === false) return credentials.createInsecure();
  const { ca, cert, key } = tls;
  const pem = (text: string | undefined) => text === undefined ? null : Buffer.from(text);
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}

function callOptions(deadline: number | undefined): CallOptions {
  return deadline === undefined ? {} : { deadline };
}

const paths = new Map(
  [ExecutionService, PipelineService].flatMap(({ typeName, methods }) =>
    methods.map(({ localName, name }) => [localName, `/${typeName}/${name}`] as const)
  ),
);

function pathOf(method: UnaryMethod | "stream"): string {
  return paths.get(method)!;
}

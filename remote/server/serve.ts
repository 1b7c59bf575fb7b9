import { loggerFor } from "../../core/log.ts";
import type { NodeClass } from "../../core/node.ts";
import type { NodeRegistry } from "../../core/registry.ts";
import { Access, type Policy, type TokenGrant } from "./access.ts";
import { addressOf, bind, httpHost, type ServerTls } from "./bind.ts";
import { DEFAULT_MAX_SESSIONS, makeGrpcServer } from "./grpc_server.ts";
import { startHttpPort } from "./http_port.ts";
import { CountedPlaces } from "./places.ts";
import type { UserCodeOptions } from "./user_code.ts";

/** What a server does. */
export interface ServeOptions {
  /** Where it listens: an address, or `unix:` and a path. @default "127.0.0.1" */
  host?: string;
  /** The port; 0 for a free one. @default 50052 */
  port?: number;
  /** The port for `/healthz`, `/readyz` and `/metrics`; 0 for a free one. @default none */
  httpPort?: number;
  /** The node types that clients may use. @default the built-in ones */
  nodes?: Iterable<NodeClass> | NodeRegistry;
  /** Its certificate and key. @default plaintext */
  tls?: ServerTls;
  /** Who may call. @default anybody who reaches it */
  tokens?: readonly TokenGrant[];
  /** Listens beyond this machine though nothing tells callers apart. @default false */
  insecure?: boolean;
  /** The most sessions at once. @default 1000 */
  maxSessions?: number;
  /** The largest message, in MiB. @default 64 */
  maxMessageMb?: number;
  /** How long a session may be silent, in ms; 0 for ever. @default 0 */
  idleTimeoutMs?: number;
  /** How long a session may take, in ms; 0 for ever. @default 0 */
  wallTimeoutMs?: number;
  /** What clients may do, where no tokens are asked for. @default {} */
  policy?: Policy;
  /** The SQLite file that keeps registered pipelines; made if it is not there. @default none are kept */
  pipelines?: string;
  /** How clients' own code runs, in sandboxes; `false` to take none. @default {} */
  userCode?: UserCodeOptions | false;
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** The port for health and metrics; `undefined` if there is none. */
  readonly httpPort: number | undefined;
  /** `host:port`. */
  readonly address: string;
  /** Sessions that run now. */
  readonly sessions: number;
  /**
   * Takes no new sessions, waits until those that run are over, but no longer than the time given, then
   * closes: what still runs goes on at another server where its client knows one.
   *
   * @param seconds how long to wait
   */
  drain(seconds: number): Promise<void>;
  /** Ends it now: live sessions fail, and go on elsewhere where their clients can. */
  close(): Promise<void>;
}

const log = loggerFor("server");

/**
 * Starts a server that runs nodes for `RemoteExecutor`s. Beside its own services it offers
 * `grpc.health.v1` and reflection.
 *
 * @param options where it listens and what it allows
 * @throws {ConfigurationError} if it cannot listen there, or strangers could call
 *
 * @example
 * ```ts
 * import { PassThrough, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
 * import { serve } from "@remotemedia/sdk/server";
 *
 * await using server = await serve({ port: 0 });
 * await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
 * const pipeline = new Pipeline([new PassThrough({}, { executor })]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2, 3]))); // [1, 2, 3]
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 50_052, tls, insecure = false } = options;
  const access = new Access(options.tokens, options.policy);
  const places = new CountedPlaces(options.maxSessions ?? DEFAULT_MAX_SESSIONS);
  const made = await makeGrpcServer(options, { places, access });
  let http: Deno.HttpServer<Deno.NetAddr> | undefined;
  const close = async () => {
    await Promise.all([made.close(), http?.shutdown()]);
  };
  let bound: number;
  try {
    const hasTokens = access.required;
    const maxConnections = 2 * (options.maxSessions ?? DEFAULT_MAX_SESSIONS) + 100;
    bound = await bind(made.server, { host, port, tls, hasTokens, insecure, maxConnections });
    if (options.httpPort !== undefined) {
      const { metrics, state } = made;
      const isReady = () => !state.draining;
      http = startHttpPort({ host: httpHost(host), port: options.httpPort, metrics, isReady });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const address = addressOf(host, bound);
  log.info("listening on {address}", { address });
  return {
    port: bound,
    httpPort: http?.addr.port,
    address,
    get sessions() {
      return places.sessions;
    },
    async drain(seconds) {
      places.drain();
      made.drain();
      await places.untilEmpty(seconds);
      await close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

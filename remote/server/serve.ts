import { Server } from "@grpc/grpc-js";
import type { DescService } from "@bufbuild/protobuf";
import { HealthImplementation } from "grpc-health-check";
import { loggerFor } from "../../core/log.ts";
import type { NodeClass } from "../../core/node.ts";
import { NodeRegistry } from "../../core/registry.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { BundleService } from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { ExecutionService } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { ObjectService } from "../../proto/gen/remotemedia/v1/object_service_pb.ts";
import { Access, type Policy, type TokenGrant } from "./access.ts";
import { bind, bracketed, type ServerTls } from "./bind.ts";
import { bundleHandlers, bundleService } from "./bundle_service.ts";
import { startHttpPort } from "./http_port.ts";
import { Metrics } from "./metrics.ts";
import { objectHandlers, objectService } from "./object_service.ts";
import { addReflection } from "./reflection.ts";
import { executionHandlers, executionService } from "./service.ts";
import { ServerState } from "./server_state.ts";
import { UserCode, type UserCodeOptions } from "./user_code.ts";

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

/** How often a draining server looks whether it is empty, in ms. */
const DRAIN_POLL = 50;

/** What a session may hold: inputs that wait, outputs not yet consumed, a batch that is being filled. */
const limits = {
  inputBytes: 16 * 2 ** 20,
  outputWindow: 4_096,
  outputBytes: Infinity,
  batchBytes: 256 * 1024,
};

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
  const { host = "127.0.0.1", port = 50_052, nodes = builtinNodes, tls } = options;
  const { maxSessions = 1_000, maxMessageMb = 64 } = options;
  const { idleTimeoutMs = 0, wallTimeoutMs = 0, insecure = false } = options;
  const registry = nodes instanceof NodeRegistry ? nodes : new NodeRegistry(nodes);
  const maxMessageBytes = maxMessageMb * 2 ** 20;
  const access = new Access(options.tokens, options.policy);
  const metrics: Metrics = new Metrics({
    sessions: (): number => state.sessions,
    queuedBytes: (): number =>
      [...state.live].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
  });
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 2 * maxSessions + 100,
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    ...(access.required && { interceptors: [access.interceptor] }),
  });
  const userCode = options.userCode === false ? undefined : await UserCode.start(options.userCode);
  const state: ServerState = new ServerState({
    host: { registry, userCode: userCode && ((caller) => userCode.executor(caller)) },
    limits,
    maxSessions,
    maxMessageBytes,
    idleTimeoutMs,
    wallTimeoutMs,
    access,
    metrics,
  });
  const services: DescService[] = [ExecutionService];
  server.addService(executionService, executionHandlers(state));
  if (userCode !== undefined) {
    server.addService(bundleService, bundleHandlers(userCode, access));
    server.addService(objectService, objectHandlers(userCode, access));
    services.push(BundleService, ObjectService);
  }
  const names = ["", ...services.map(({ typeName }) => typeName)];
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, "SERVING" as const])),
  );
  health.addToServer(server);
  addReflection(server, services);
  let http: Deno.HttpServer<Deno.NetAddr> | undefined;
  const close = async () => {
    server.forceShutdown();
    await Promise.all([userCode?.[Symbol.asyncDispose](), http?.shutdown()]);
  };
  let bound: number;
  try {
    const hasTokens = access.required;
    bound = await bind(server, { host, port, tls, hasTokens, insecure });
    if (options.httpPort !== undefined) {
      const hostname = host.startsWith("unix:") ? "127.0.0.1" : host;
      const isReady = () => !state.draining;
      http = startHttpPort({ host: hostname, port: options.httpPort, metrics, isReady });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const address = host.startsWith("unix:") ? host : `${bracketed(host)}:${bound}`;
  log.info("listening on {address}", { address });
  return {
    port: bound,
    httpPort: http?.addr.port,
    address,
    get sessions() {
      return state.sessions;
    },
    async drain(seconds) {
      state.drain();
      for (const name of names) health.setStatus(name, "NOT_SERVING");
      const until = performance.now() + 1_000 * seconds;
      while (state.sessions > 0 && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL));
      }
      await close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

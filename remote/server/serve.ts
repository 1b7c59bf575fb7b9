import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ConfigurationError } from "../../core/errors.ts";
import type { NodeClass } from "../../core/node.ts";
import { NodeRegistry } from "../../core/registry.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { bundleHandlers, bundleService } from "./bundle_service.ts";
import { objectHandlers, objectService } from "./object_service.ts";
import { executionHandlers, executionService } from "./service.ts";
import { ServerState } from "./server_state.ts";
import { UserCode, type UserCodeOptions } from "./user_code.ts";

/** What a server does. */
export interface ServeOptions {
  /** Where it listens. @default "127.0.0.1" */
  host?: string;
  /** The port; 0 for a free one. @default 50052 */
  port?: number;
  /** The node types that clients may use. @default the built-in ones */
  nodes?: Iterable<NodeClass> | NodeRegistry;
  /** The most sessions at once. @default 1000 */
  maxSessions?: number;
  /** The largest message, in MiB. @default 64 */
  maxMessageMb?: number;
  /** How clients' own code runs, in sandboxes; `false` to take none. @default {} */
  userCode?: UserCodeOptions | false;
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Sessions that run now. */
  readonly sessions: number;
  /** Ends it now: live sessions fail, and go on elsewhere where their clients can. */
  close(): Promise<void>;
}

/**
 * Starts a server that runs nodes for `RemoteExecutor`s.
 *
 * @param options where it listens and what it allows
 * @throws {ConfigurationError} if it cannot listen there
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
  const { host = "127.0.0.1", port = 50_052, nodes = builtinNodes } = options;
  const { maxSessions = 1_000, maxMessageMb = 64 } = options;
  const registry = nodes instanceof NodeRegistry ? nodes : new NodeRegistry(nodes);
  const maxBytes = maxMessageMb * 2 ** 20;
  const userCode = options.userCode === false ? undefined : await UserCode.start(options.userCode);
  const state = new ServerState({ registry, userCode: userCode && (() => userCode.executor()) }, {
    limits: { inputBytes: 16 * 2 ** 20, outputWindow: 1024, batchBytes: 256 * 1024 },
    maxSessions,
    maxMessageBytes: maxBytes,
  });
  const server = new Server({
    "grpc.max_receive_message_length": maxBytes,
    "grpc.max_send_message_length": -1,
    "grpc-node.max_session_memory": Number.MAX_SAFE_INTEGER,
  });
  server.addService(executionService, executionHandlers(state));
  if (userCode !== undefined) {
    server.addService(bundleService, bundleHandlers(userCode));
    server.addService(objectService, objectHandlers(userCode));
  }
  const bound = await bind(server, host, port);
  const address = `${host.includes(":") ? `[${host}]` : host}:${bound}`;
  const close = async () => {
    server.forceShutdown();
    await userCode?.[Symbol.asyncDispose]();
  };
  return {
    port: bound,
    address,
    get sessions() {
      return state.sessions;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause === null) resolve(bound);
      else {
        const message = `Cannot listen on ${address}: ${cause.message}`;
        reject(new ConfigurationError(message, { cause }));
      }
    });
  });
}

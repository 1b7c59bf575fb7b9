import { Server } from "@grpc/grpc-js";
import type { DescService } from "@bufbuild/protobuf";
import { HealthImplementation } from "grpc-health-check";
import { NodeRegistry } from "../../core/registry.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { BundleService } from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { ExecutionService } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { ObjectService } from "../../proto/gen/remotemedia/v1/object_service_pb.ts";
import { PipelineService } from "../../proto/gen/remotemedia/v1/pipeline_service_pb.ts";
import { makeHttp2Safe } from "../wire/safe_http2.ts";
import type { Access } from "./access.ts";
import { bundleHandlers, bundleService } from "./bundle_service.ts";
import { Metrics } from "./metrics.ts";
import { objectHandlers, objectService } from "./object_service.ts";
import { pipelineHandlers, pipelineService } from "./pipelines/pipeline_service.ts";
import { PipelineStore } from "./pipelines/pipeline_store.ts";
import { Pipelines } from "./pipelines/pipelines.ts";
import type { Places } from "./places.ts";
import { addReflection } from "./reflection.ts";
import type { ServeOptions } from "./serve.ts";
import { executionHandlers, executionService } from "./service.ts";
import { ServerState } from "./server_state.ts";
import type { SessionHost } from "./session_nodes.ts";
import { UserCode } from "./user_code.ts";

/** What a session may hold: inputs that wait, outputs not yet consumed, a batch that is being filled. */
const limits = {
  inputBytes: 16 * 2 ** 20,
  outputWindow: 4_096,
  outputBytes: Infinity,
  batchBytes: 256 * 1024,
};

/** The most sessions at once, where nobody says. */
export const DEFAULT_MAX_SESSIONS = 1_000;

/** How long connections may take to end where nothing runs over them any more, in ms. */
const GENTLE_MS = 500;

/** All services of a server; where its connections come from is its owner's matter. */
export interface GrpcServer {
  /** To be bound, or given connections. */
  readonly server: Server;
  readonly state: ServerState;
  readonly metrics: Metrics;
  /** Tells health checks that no new sessions are taken, and takes none. */
  drain(): void;
  /** Ends it now. */
  close(): Promise<void>;
}

/**
 * Makes a server with its services, not yet reachable.
 *
 * @param options what it allows; @param places who gives sessions their places
 */
export async function makeGrpcServer(
  options: ServeOptions,
  { places, access }: { places: Places; access: Access },
): Promise<GrpcServer> {
  const { nodes = builtinNodes, maxSessions = DEFAULT_MAX_SESSIONS, maxMessageMb = 64 } = options;
  const { idleTimeoutMs = 0, wallTimeoutMs = 0 } = options;
  const registry = nodes instanceof NodeRegistry ? nodes : new NodeRegistry(nodes);
  const maxMessageBytes = maxMessageMb * 2 ** 20;
  const metrics: Metrics = new Metrics({
    sessions: (): number => state.sessions,
    queuedBytes: (): number =>
      [...state.live].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
  });
  makeHttp2Safe();
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 2 * maxSessions + 100,
    "grpc.max_connection_idle_ms": 600_000,
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    ...(access.required && { interceptors: [access.interceptor] }),
  });
  const kept = options.pipelines === undefined ? undefined : new PipelineStore(options.pipelines);
  const userCode = options.userCode === false
    ? undefined
    : await UserCode.start(options.userCode, (digest) => kept?.bundle(digest));
  const host: SessionHost = {
    registry,
    userCode: userCode && ((caller) => userCode.executor(caller)),
    code: userCode && ((caller) => userCode.code(caller)),
  };
  const state: ServerState = new ServerState({
    host,
    limits,
    maxSessions,
    places,
    maxMessageBytes,
    idleTimeoutMs,
    wallTimeoutMs,
    access,
    metrics,
    ...(kept !== undefined && { pipelines: new Pipelines(kept, { session: host, userCode }) }),
  });
  const services: DescService[] = [ExecutionService, PipelineService];
  server.addService(executionService, executionHandlers(state));
  server.addService(pipelineService, pipelineHandlers(state));
  if (userCode !== undefined) {
    server.addService(bundleService, bundleHandlers(userCode, access));
    server.addService(objectService, objectHandlers(userCode, { access, places }));
    services.push(BundleService, ObjectService);
  }
  const names = ["", ...services.map(({ typeName }) => typeName)];
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, "SERVING" as const])),
  );
  health.addToServer(server);
  addReflection(server, services);
  return {
    server,
    state,
    metrics,
    drain() {
      state.drain();
      for (const name of names) health.setStatus(name, "NOT_SERVING");
    },
    async close() {
      if (state.draining) await endGently(server);
      server.forceShutdown();
      await userCode?.[Symbol.asyncDispose]();
      kept?.[Symbol.dispose]();
    },
  };
}

/** Tells clients that their connections end, and waits until they have: not for long. */
function endGently(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GENTLE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

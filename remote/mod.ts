/**
 * Nodes on other machines.
 *
 * @module
 */

export * from "./client/remote_executor.ts";
export type { RemoteStatus } from "./client/remote_status.ts";
export * from "./client/pipeline_registry.ts";
export type {
  EndpointOptions,
  RemoteExecutorOptions,
  RetryOptions,
  TlsOptions,
} from "./client/options.ts";
export * from "./objects/mod.ts";
export * from "./sandbox/mod.ts";
export * from "./threads/mod.ts";

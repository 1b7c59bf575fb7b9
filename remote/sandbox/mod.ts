/**
 * Code that is not trusted, in processes that can be killed.
 *
 * @module
 */

export { type CompleteLimits, defaultLimits, type SandboxLimits } from "./limits.ts";
export type { SandboxPermissions } from "./permissions.ts";
export type { Isolation } from "./host/launch.ts";
export { SandboxExecutor, type SandboxExecutorOptions } from "./host/sandbox_executor.ts";
export type { SandboxPolicy } from "./host/sandbox_host.ts";
export type { SandboxPoolOptions } from "./host/sandbox_pool.ts";

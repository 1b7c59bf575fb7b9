/**
 * Nodes in threads of this process.
 *
 * @module
 */

export { ThreadExecutor, type ThreadExecutorOptions } from "./thread_executor.ts";

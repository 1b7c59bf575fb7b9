/**
 * The server side: runs nodes for other machines.
 *
 * @module
 */

export type { Policy, TokenGrant } from "./access.ts";
export type { ServerTls } from "./bind.ts";
export * from "./run_server.ts";
export * from "./serve.ts";
export type { UserCodeOptions } from "./user_code.ts";

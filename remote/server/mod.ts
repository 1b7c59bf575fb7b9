/**
 * The server side: runs nodes for other machines.
 *
 * @module
 */

export * from "./serve.ts";

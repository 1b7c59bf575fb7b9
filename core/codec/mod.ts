/**
 * Values as bytes: MessagePack with extension types.
 *
 * @module
 */

export * from "./codec.ts";

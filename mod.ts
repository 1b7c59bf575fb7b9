/**
 * Real-time audio, video and data pipelines whose nodes run here or on another machine.
 *
 * @module
 */

export * from "./core/mod.ts";
export * from "./nodes/mod.ts";
export * from "./remote/mod.ts";

/**
 * What tests of nodes need: frames of known content, sources that are slow, endless or fail, a clock that
 * stands still, and the contract that every node passes.
 *
 * @module
 */

export * from "./contract.ts";
export * from "./fake_clock.ts";
export * from "./frames.ts";
export * from "./sources.ts";

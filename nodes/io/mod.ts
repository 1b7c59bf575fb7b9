/**
 * Media in and out: `readMedia`, `writeMedia`, `probeMedia`, `MediaReader`, `MediaWriter`.
 *
 * @module
 */

export * from "./read_media.ts";

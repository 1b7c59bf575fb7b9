/**
 * The part of the SDK that a sandbox provides itself. What else a bundle wants of the SDK travels in it.
 *
 * @module
 */

export * from "../../../core/mod.ts";
export * from "../../../core/codec/mod.ts";
export { dataFile } from "../../../packaging/data_files.ts";

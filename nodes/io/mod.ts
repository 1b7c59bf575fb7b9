/**
 * Media in and out: `readMedia`, `writeMedia`, `probeMedia`, `MediaReader`, `MediaWriter`.
 *
 * @module
 */

export * from "./media_info.ts";
export * from "./probe_media.ts";
export * from "./read_media.ts";
export type { MediaInput } from "./_input.ts";
export type { MediaOptions, PcmReadOptions, VideoReadOptions } from "./read_options.ts";
export type { SampleFormat } from "./wav/samples.ts";
export * from "./write_media.ts";
export type { MediaOutput } from "./_output.ts";
export type { AudioWriteOptions, MediaWriteOptions, VideoWriteOptions } from "./write_options.ts";
export * from "./media_reader.ts";
export * from "./media_writer.ts";

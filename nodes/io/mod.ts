/**
 * Media in and out: `readMedia`, `writeMedia`, `probeMedia`, `MediaReader`, `MediaWriter`.
 *
 * @module
 */

export * from "./media_info.ts";
export * from "./media_reader.ts";
export * from "./media_writer.ts";
export * from "./probe_media.ts";
export * from "./read_media.ts";
export * from "./write_media.ts";
export type { MediaInput } from "./_input.ts";
export type { MediaOutput } from "./_output.ts";
export type {
  MediaOptions,
  PcmReadOptions,
  ReadOptions,
  VideoReadOptions,
} from "./read_options.ts";
export { type SampleFormat, sampleFormats } from "./wav/samples.ts";
export type {
  AudioWriteOptions,
  MediaWriteOptions,
  VideoWriteOptions,
  WriteOptions,
} from "./write_options.ts";

/**
 * The typed chunks: `AudioFrame`, `VideoFrame`, `EncodedFrame`, `Tensor`, `Marker`.
 *
 * @module
 */

export * from "./audio_frame.ts";
export * from "./encoded_frame.ts";
export * from "./marker.ts";
export * from "./tensor.ts";
export * from "./video_frame.ts";
export { type FrameInit, type Metadata } from "./_frame.ts";

import type { AudioFrame } from "./audio_frame.ts";
import type { EncodedFrame } from "./encoded_frame.ts";
import type { Marker } from "./marker.ts";
import type { Tensor } from "./tensor.ts";
import type { VideoFrame } from "./video_frame.ts";

/** Any typed chunk. */
export type Frame = AudioFrame | VideoFrame | EncodedFrame | Tensor | Marker;

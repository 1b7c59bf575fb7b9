/**
 * Nodes that work on video, and the filters of ffmpeg.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { AudioDecoder } from "../audio/audio_decoder.ts";
import { AudioEncoder } from "../audio/audio_encoder.ts";
import { AudioFilter } from "../audio/audio_filter.ts";
import { AudioVideoSync } from "./audio_video_sync.ts";
import { FrameSampler } from "./frame_sampler.ts";
import { SceneDetector } from "./scene_detector.ts";
import { Thumbnailer } from "./thumbnailer.ts";
import { VideoBuffer } from "./video_buffer.ts";
import { VideoDecoder } from "./video_decoder.ts";
import { VideoEncoder } from "./video_encoder.ts";
import { VideoFilter } from "./video_filter.ts";
import { VideoOverlay } from "./video_overlay.ts";
import { VideoResizer } from "./video_resizer.ts";
import { VideoTransform } from "./video_transform.ts";

export * from "../audio/audio_decoder.ts";
export * from "../audio/audio_encoder.ts";
export * from "../audio/audio_filter.ts";
export * from "./audio_video_sync.ts";
export * from "./frame_sampler.ts";
export * from "./scene_detector.ts";
export * from "./thumbnailer.ts";
export * from "./video_buffer.ts";
export * from "./video_decoder.ts";
export * from "./video_encoder.ts";
export * from "./video_filter.ts";
export * from "./video_overlay.ts";
export * from "./video_resizer.ts";
export * from "./video_transform.ts";

/** All nodes that work on video, and those of audio that need ffmpeg. */
export const videoNodes: readonly NodeClass[] = [
  AudioDecoder,
  AudioEncoder,
  AudioFilter,
  AudioVideoSync,
  FrameSampler,
  SceneDetector,
  Thumbnailer,
  VideoBuffer,
  VideoDecoder,
  VideoEncoder,
  VideoFilter,
  VideoOverlay,
  VideoResizer,
  VideoTransform,
];

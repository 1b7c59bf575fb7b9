import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Tensor } from "../../core/frames/tensor.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { wrongInput } from "../data/_chunk_kind.ts";

/**
 * A frame as a tensor over the same memory: audio as float32 `[channels, frames]`, RGBA, BGRA and RGBX pictures
 * as uint8 `[height, width, 4]`, with the frame's time and metadata.
 *
 * @throws {TypeError} on other chunks, and on pictures in planes
 */
export function tensorOf(type: string, chunk: unknown): Tensor {
  if (chunk instanceof Tensor) return chunk;
  if (chunk instanceof AudioFrame) {
    const { data, numberOfChannels, numberOfFrames, timestamp, metadata } = chunk;
    return new Tensor({ data, dims: [numberOfChannels, numberOfFrames], timestamp, metadata });
  }
  if (chunk instanceof VideoFrame) {
    const { data, format, codedWidth, codedHeight, timestamp, metadata } = chunk;
    if (format === "I420" || format === "NV12") {
      throw new TypeError(
        `${type} takes pictures as RGBA, BGRA or RGBX: it was given ${format}; VideoTransform converts them`,
      );
    }
    return new Tensor({ data, dims: [codedHeight, codedWidth, 4], timestamp, metadata });
  }
  throw wrongInput(type, "a tensor, an audio or video frame, or an object of them by name", chunk);
}

import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { type VideoCodecName, videoCodecNames } from "./_codec/codecs.ts";
import { EncoderLine } from "./_codec/encoder_line.ts";
import { FilterStream } from "./_filter/filter_stream.ts";
import { everyPictureArgs } from "./_filter/rate.ts";
import { requireVideo } from "./_frames.ts";

export type { VideoCodecName };

const schema = z.strictObject({
  codec: z.enum(videoCodecNames).default("h264").describe("The codec"),
  bitrate: z.int().min(1000).max(1e9).optional()
    .describe("Bits a second; without it the quality decides"),
  quality: z.number().min(0).max(100).default(60).describe("From 0, the worst, to 100"),
  keyFrameSeconds: z.number().positive().max(1e6).default(2)
    .describe("Time from one key frame to the next at most, in s"),
  latencyMode: z.enum(["realtime", "quality"]).default("realtime")
    .describe("Whether frames may be held back to encode them better"),
});

/** Options of {@linkcode VideoEncoder}. */
export interface VideoEncoderOptions {
  /** The codec: `h264`, `hevc`, `vp8`, `vp9`, `av1` or `mjpeg`. @default "h264" */
  codec: VideoCodecName;
  /** Bits a second. @default what the quality needs */
  bitrate?: number;
  /** From 0, the worst, to 100; does not count where there is a bitrate. @default 60 */
  quality: number;
  /** Time from one key frame to the next at most, in s. @default 2 */
  keyFrameSeconds: number;
  /** Whether frames may be held back to encode them better, as in WebCodecs. @default "realtime" */
  latencyMode: "realtime" | "quality";
}

/**
 * Encodes video to packets, by ffmpeg's libx264, libx265, libvpx, libaom or its own JPEG encoder.
 *
 * One packet a frame, in the order of their times, with the frame's time, duration and metadata: no frame is
 * encoded from a later one. With `latencyMode: "realtime"` each comes out when it is encoded, without
 * waiting for the next; with `"quality"` up to some dozens are held back. H.264 and HEVC are in
 * Annex B form, with parameter sets at each key frame, so that a decoder can begin at any. Pictures are encoded as
 * 4:2:0, so width and height must be even (`mjpeg` takes any). A frame of another size or format, or of an earlier
 * time, ends the packets and begins anew with a key frame. An interrupt drops what is inside.
 *
 * At most 8 packets wait here beside those of one piece of the pipe (64 KiB) and what the encoder itself holds.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoEncoder } from "@remotemedia/sdk/nodes";
 *
 * const black = new VideoFrame({ data: new Uint8Array(1024), format: "RGBA", codedWidth: 16, codedHeight: 16 });
 * const packets = ReadableStream.from([black]).pipeThrough(new VideoEncoder({ codec: "vp8" }));
 * for await (const { type, timestamp } of packets) console.log(type, timestamp); // key 0
 * ```
 */
export class VideoEncoder extends Node<VideoFrame, EncodedFrame, VideoEncoderOptions> {
  /** The name of the type. */
  static override readonly type = "VideoEncoder";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #stream: FilterStream<VideoFrame, EncodedFrame> | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    const settings = { ...this.options, rate: await everyPictureArgs() };
    const action = `encode video in ${context.name}`;
    const begin = (first: VideoFrame) => new EncoderLine(first, settings);
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives the packets that are ready. */
  process(frame: VideoFrame): AsyncGenerator<EncodedFrame> {
    const { codedWidth, codedHeight } = requireVideo(this, frame);
    if (this.options.codec !== "mjpeg" && (codedWidth % 2 !== 0 || codedHeight % 2 !== 0)) {
      const rule = "width and height must be even";
      const value = `${codedWidth}x${codedHeight}`;
      throw new RangeError(cannot(`take frame in ${this.type}`, { rule, value }));
    }
    return this.#stream!.push(frame);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<EncodedFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives the rest. */
  override flush(): AsyncGenerator<EncodedFrame> {
    return this.#stream!.end();
  }

  /** Drops what is inside. */
  override onInterrupt(): void {
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#stream?.close();
  }
}

import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { PictureFilter } from "./_filter/picture_filter.ts";
import { requireVideo } from "./_frames.ts";
import {
  colorSchema,
  fits,
  resamplers,
  resizeFilters,
  sideSchema,
  type VideoFit,
  type VideoResampler,
} from "./_shapes.ts";

export type { VideoFit, VideoResampler };

const schema = z.strictObject({
  width: sideSchema.optional().describe("Width in pixels").meta({ examples: [640] }),
  height: sideSchema.optional().describe("Height in pixels"),
  fit: z.enum(fits).default("contain").describe("How a picture comes into a size of another shape"),
  resampler: z.enum(resamplers).default("bicubic").describe("How pixels in between are found"),
  background: colorSchema.default("black").describe("Colour around it, with contain"),
}).refine(({ width, height }) => width !== undefined || height !== undefined, {
  message: "width or height must be given",
});

/** Options of {@linkcode VideoResizer}. */
export interface VideoResizerOptions {
  /** Width in pixels, 1 to 16384. @default what keeps the shape */
  width?: number;
  /** Height in pixels, 1 to 16384. @default what keeps the shape */
  height?: number;
  /**
   * How a picture comes into a size of another shape: whole with bars (`contain`), whole and as large as it
   * gets there (`inside`), cut to fill it (`cover`), or out of shape (`fill`). @default "contain"
   */
  fit: VideoFit;
  /** How pixels in between are found. @default "bicubic" */
  resampler: VideoResampler;
  /** Colour of the bars: a name, `#RRGGBB` or `#RRGGBBAA`. @default "black" */
  background: string;
}

/**
 * Brings video frames to a size, by ffmpeg's `scale`: one frame for each, with its time, duration and metadata.
 *
 * A frame waits for ffmpeg, and markers keep their place. With `concurrency: 3` ffmpeg works while other
 * frames travel to it and back. Frames of another size or format than those before start ffmpeg anew.
 *
 * Pixels travel to ffmpeg and back, which takes longer than most of what it does to them: see docs/speed.md.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoResizer } from "@remotemedia/sdk/nodes";
 *
 * const wide = new VideoFrame({ data: new Uint8Array(8 * 4 * 4), format: "RGBA", codedWidth: 8, codedHeight: 4 });
 * const small = ReadableStream.from([wide]).pipeThrough(new VideoResizer({ width: 4 }));
 * for await (const { codedWidth, codedHeight } of small) console.log(codedWidth, codedHeight); // 4 2
 * ```
 */
export class VideoResizer extends Node<VideoFrame, VideoFrame, VideoResizerOptions> {
  /** The name of the type. */
  static override readonly type = "VideoResizer";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** Nothing is kept between frames. */
  static override readonly stateless = true;
  #filter: PictureFilter | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    const graph = () => resizeFilters(this.options).join(",");
    this.#filter = await PictureFilter.open(context, { graph });
  }

  /** Gives the frame in its new size. */
  process(frame: VideoFrame): Promise<VideoFrame | undefined> {
    return this.#filter!.run(requireVideo(this, frame));
  }

  /** Drops what is under way. */
  override onInterrupt(): void {
    this.#filter?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#filter?.close();
  }
}

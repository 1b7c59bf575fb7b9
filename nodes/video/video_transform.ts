import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import { type PixelFormat, pixelFormats, type VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { FilterStream } from "./_filter/filter_stream.ts";
import { PictureFilter } from "./_filter/picture_filter.ts";
import { everyPictureArgs } from "./_filter/rate.ts";
import { VideoLine } from "./_filter/video_line.ts";
import { requireVideo } from "./_frames.ts";
import {
  colorOfEachPixel,
  colorSchema,
  fits,
  MAX_SIDE,
  resamplers,
  resizeFilters,
  sideSchema,
  type VideoFit,
  type VideoResampler,
} from "./_shapes.ts";

const border = z.int().min(0).max(MAX_SIDE).default(0);

const schema = z.strictObject({
  crop: z.strictObject({
    x: z.int().min(0).max(MAX_SIDE).describe("Left edge, in pixels"),
    y: z.int().min(0).max(MAX_SIDE).describe("Upper edge, in pixels"),
    width: sideSchema.describe("Width, in pixels"),
    height: sideSchema.describe("Height, in pixels"),
  }).optional().describe("The part that is kept, in pixels of the frames that come"),
  rotate: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]).default(0)
    .describe("Turn clockwise, in degrees"),
  flip: z.enum(["none", "horizontal", "vertical", "both"]).default("none").describe("Mirroring"),
  width: sideSchema.optional().describe("Width in pixels"),
  height: sideSchema.optional().describe("Height in pixels"),
  fit: z.enum(fits).default("contain").describe("How a picture comes into a size of another shape"),
  resampler: z.enum(resamplers).default("bicubic").describe("How pixels in between are found"),
  background: colorSchema.default("black").describe("Colour around it"),
  pad: z.strictObject({
    left: border.describe("Left border, in pixels"),
    right: border.describe("Right border, in pixels"),
    top: border.describe("Upper border, in pixels"),
    bottom: border.describe("Lower border, in pixels"),
  }).optional().describe("Borders that are added last, in pixels"),
  format: z.enum(pixelFormats).optional().describe("Pixel format of what is given"),
  frameRate: z.number().positive().max(1000).optional().describe("Frames a second"),
});

/** Options of {@linkcode VideoTransform}, in the order in which they are applied. */
export interface VideoTransformOptions {
  /** The part that is kept, in pixels of the frames that come. @default all */
  crop?: { x: number; y: number; width: number; height: number };
  /** Turn clockwise, in degrees. @default 0 */
  rotate: 0 | 90 | 180 | 270;
  /** Mirroring: left with right (`horizontal`), top with bottom (`vertical`). @default "none" */
  flip: "none" | "horizontal" | "vertical" | "both";
  /** Width in pixels, 1 to 16384. @default what keeps the shape */
  width?: number;
  /** Height in pixels, 1 to 16384. @default what keeps the shape */
  height?: number;
  /** As in {@linkcode VideoResizerOptions.fit}. @default "contain" */
  fit: VideoFit;
  /** How pixels in between are found. @default "bicubic" */
  resampler: VideoResampler;
  /** Colour of bars and borders: a name, `#RRGGBB` or `#RRGGBBAA`. @default "black" */
  background: string;
  /** Borders that are added last, in pixels. @default none */
  pad?: { left?: number; right?: number; top?: number; bottom?: number };
  /** Pixel format of what is given. @default that of the frames that come */
  format?: PixelFormat;
  /** Frames a second: frames are dropped and repeated. @default as they come */
  frameRate?: number;
}

/**
 * Cuts, turns, mirrors, resizes and pads video frames, changes their pixel format and their rate, in that order,
 * through one ffmpeg.
 *
 * Without `frameRate` it gives one frame for each, with its time, duration and metadata, and markers keep their
 * place; with `concurrency: 3` ffmpeg works while other frames travel. With `frameRate` frames come at multiples
 * of its period after the first, each shown from the nearest of them on (ffmpeg's `fps`), one later than they go
 * in, the last one once; markers do not wait for the frame that is held. In I420 and NV12 a crop begins at even pixels of colour.
 * A crop that is larger than a frame fails with ffmpeg's words.
 *
 * Pixels travel to ffmpeg and back, which takes longer than most of what it does to them: see docs/speed.md.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoTransform } from "@remotemedia/sdk/nodes";
 *
 * const frame = new VideoFrame({ data: new Uint8Array(96), format: "RGBA", codedWidth: 6, codedHeight: 4 });
 * const turned = ReadableStream.from([frame])
 *   .pipeThrough(new VideoTransform({ rotate: 90, format: "I420" }));
 * for await (const { codedWidth, format } of turned) console.log(codedWidth, format); // 4 I420
 * ```
 */
export class VideoTransform extends Node<VideoFrame, VideoFrame, VideoTransformOptions> {
  /** The name of the type. */
  static override readonly type = "VideoTransform";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #filter: PictureFilter | undefined;
  #stream: FilterStream<VideoFrame> | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    const { format, frameRate } = this.options;
    const graph = (first: VideoFrame) => graphOf(this.options, first);
    if (frameRate === undefined) {
      this.#filter = await PictureFilter.open(context, { graph, format });
      return;
    }
    const rate = await everyPictureArgs();
    const begin = (first: VideoFrame) =>
      new VideoLine(first, { graph: graph(first), format, rate });
    this.#stream = new FilterStream({ action: `filter video in ${context.name}`, begin }, context);
  }

  /** Gives what becomes of the frame. */
  process(frame: VideoFrame): Promise<VideoFrame | undefined> | AsyncGenerator<VideoFrame> {
    requireVideo(this, frame);
    return this.#stream === undefined ? this.#filter!.run(frame) : this.#stream.push(frame);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<VideoFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives the frame that is held to change the rate. */
  override flush(): AsyncGenerator<VideoFrame> | undefined {
    return this.#stream?.end();
  }

  /** Drops what is under way. */
  override onInterrupt(): void {
    this.#filter?.drop();
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await Promise.all([this.#filter?.close(), this.#stream?.close()]);
  }
}

const turns = {
  0: [],
  90: ["transpose=clock"],
  180: ["hflip", "vflip"],
  270: ["transpose=cclock"],
};
const flips = { none: [], horizontal: ["hflip"], vertical: ["vflip"], both: ["hflip", "vflip"] };

function graphOf(options: VideoTransformOptions, first: VideoFrame): string {
  const { crop, rotate, flip, pad, background, frameRate } = options;
  const filters: string[] = [];
  // of a single frame fps knows no end, and gives none: it is followed by itself
  if (frameRate !== undefined) {
    filters.push("tpad=stop=1:stop_mode=clone", `fps=${frameRate}:eof_action=pass`);
  }
  if (crop) filters.push(`crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}:exact=1`);
  filters.push(...turns[rotate], ...flips[flip], ...resizeFilters(options));
  if (pad) {
    const { left = 0, right = 0, top = 0, bottom = 0 } = pad;
    const lengths = [left, right, top, bottom, ...sidesOf(options, first)];
    if (lengths.some((length) => length % 2 !== 0)) filters.push(colorOfEachPixel);
    filters.push(`pad=iw+${left + right}:ih+${top + bottom}:${left}:${top}:color=${background}`);
  }
  return filters.join(",") || "null";
}

/** The sides of the picture that borders are added to; `NaN` where only ffmpeg knows them. */
function sidesOf(
  { crop, rotate, width, height, fit }: VideoTransformOptions,
  { codedWidth, codedHeight }: VideoFrame,
): number[] {
  if (width !== undefined && height !== undefined && fit !== "inside") return [width, height];
  if (width !== undefined || height !== undefined) return [NaN];
  const sides = crop === undefined ? [codedWidth, codedHeight] : [crop.width, crop.height];
  return rotate % 180 === 0 ? sides : sides.reverse();
}

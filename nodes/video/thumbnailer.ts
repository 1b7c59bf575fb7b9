import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { NutReader } from "../io/ffmpeg/nut_reader.ts";
import { inputArgs, outputArgs } from "./_filter/line.ts";
import { PictureTool } from "./_filter/picture_tool.ts";
import { everyPictureArgs } from "./_filter/rate.ts";
import type { ToolParser } from "./_filter/tool_run.ts";
import { owned } from "./_filter/video_line.ts";
import { requireVideo } from "./_frames.ts";
import { resizeFilters, sideSchema } from "./_shapes.ts";

const schema = z.strictObject({
  format: z.enum(["jpeg", "png"]).default("jpeg").describe("Format of the files"),
  width: sideSchema.optional().describe("Width in pixels"),
  height: sideSchema.optional().describe("Height in pixels"),
  quality: z.int().min(1).max(100).default(85).describe("Quality of JPEG"),
  everySeconds: z.number().min(0).max(1e6).default(0)
    .describe("Least time between two, in s; 0 takes every frame"),
});

/** Options of {@linkcode Thumbnailer}. */
export interface ThumbnailerOptions {
  /** Format of the files. @default "jpeg" */
  format: "jpeg" | "png";
  /** Width in pixels; with a height too, frames keep their shape inside both. @default as they come */
  width?: number;
  /** Height in pixels. @default as they come */
  height?: number;
  /** Quality of JPEG, 1 to 100. @default 85 */
  quality: number;
  /** Least time between two, in s of media; 0 takes every frame. @default 0 */
  everySeconds: number;
}

/**
 * Makes small PNG or JPEG files of video frames. Each is an `EncodedFrame` whose `data` is a whole file, with codec
 * `mjpeg` or `png`, and the time, duration and metadata of its frame. Markers keep their place. Frames whose
 * time jumps back are taken at once.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { Thumbnailer } from "@remotemedia/sdk/nodes";
 *
 * const frame = new VideoFrame({ data: new Uint8Array(64 * 64 * 4), format: "RGBA", codedWidth: 64, codedHeight: 64 });
 * const files = ReadableStream.from([frame]).pipeThrough(new Thumbnailer({ format: "png", width: 16 }));
 * for await (const { data, codec } of files) console.log(codec, data[1]); // png 80
 * ```
 */
export class Thumbnailer extends Node<VideoFrame, EncodedFrame, ThumbnailerOptions> {
  /** The name of the type. */
  static override readonly type = "Thumbnailer";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #tool: PictureTool<Uint8Array> | undefined;
  #lastUs: number | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    const args = argsOf(this.options, await everyPictureArgs());
    const action = `make thumbnails in ${context.name}`;
    this.#tool = new PictureTool(() => ({ action, args, parser: new FileParser() }), context);
  }

  /** Gives the file of the frame, if it is time for one. */
  process(frame: VideoFrame): Promise<EncodedFrame | undefined> | undefined {
    const { timestamp } = requireVideo(this, frame);
    const sinceUs = timestamp - (this.#lastUs ?? -Infinity);
    if (sinceUs >= 0 && sinceUs < this.options.everySeconds * 1e6) return undefined;
    this.#lastUs = timestamp;
    return this.#encode(frame);
  }

  /** Drops what is under way. */
  override onInterrupt(): void {
    this.#tool?.drop();
    this.#lastUs = undefined;
  }

  /** The time of the last one. */
  override snapshot(): { lastUs: number | undefined } {
    return { lastUs: this.#lastUs };
  }

  /** Goes on after the last one. */
  override restore(state: unknown): void {
    this.#lastUs = (state as { lastUs: number | undefined }).lastUs;
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#tool?.close();
  }

  async #encode(frame: VideoFrame): Promise<EncodedFrame | undefined> {
    const { timestamp, duration, metadata } = frame;
    const data = await this.#tool!.run(frame);
    if (data === undefined) return undefined;
    const codec = this.options.format === "png" ? "png" : "mjpeg";
    return new EncodedFrame({ data, codec, timestamp, duration, metadata });
  }
}

/** Files as NUT's packets. */
class FileParser implements ToolParser<Uint8Array> {
  readonly #nut = new NutReader();

  get isInside(): boolean {
    return this.#nut.isInside;
  }

  push(piece: Uint8Array): Uint8Array[] {
    return this.#nut.push(piece).map(({ data }) => owned(data));
  }
}

function argsOf(
  { format, width, height, quality }: ThumbnailerOptions,
  rate: readonly string[],
): string[] {
  const how = { fit: "inside", resampler: "area", background: "black" } as const;
  const filters = resizeFilters({ width, height, ...how });
  const codec = format === "png"
    ? ["-c:v", "png", "-pix_fmt", "rgb24"]
    : ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", String(quantizerOf(quality))];
  return [
    ...[...inputArgs, "-map", "0:v", "-vf", filters.join(",") || "null"],
    ...[...codec, ...rate, "-enc_time_base:v", "1:1000000"],
    ...outputArgs,
  ];
}

/** ffmpeg's scale for JPEG: 2 is the best, 31 the worst. */
function quantizerOf(quality: number): number {
  return Math.round(2 + (100 - quality) * 29 / 99);
}

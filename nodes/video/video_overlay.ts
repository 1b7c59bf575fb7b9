import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { PictureFilter } from "./_filter/picture_filter.ts";
import { requireVideo } from "./_frames.ts";
import { writeImage } from "./_image_file.ts";
import { colorSchema, MAX_SIDE, quoted, sideSchema } from "./_shapes.ts";

const place = z.int().min(-MAX_SIDE).max(MAX_SIDE).default(0);
const left = place.describe("Left edge, in pixels");
const top = place.describe("Upper edge, in pixels");
const width = sideSchema.describe("Width, in pixels");
const height = sideSchema.describe("Height, in pixels");
const color = colorSchema.describe("A name, #RRGGBB or #RRGGBBAA");

const schema = z.strictObject({
  boxes: z.array(z.strictObject({
    x: left,
    y: top,
    width,
    height,
    color: color.default("red"),
    thickness: z.union([z.literal("fill"), z.int().min(1).max(1000)]).default(2)
      .describe("Width of its line in pixels, or fill"),
  })).max(256).default([]).describe("Boxes, drawn first"),
  image: z.strictObject({
    data: z.base64().min(1).max(2 ** 26).describe("A PNG, JPEG or WebP file in base64"),
    x: left,
    y: top,
    width: width.optional(),
    height: height.optional(),
    opacity: z.number().min(0).max(1).default(1).describe("How much of it is seen, 0 to 1"),
  }).optional().describe("A picture: PNG, JPEG or WebP in base64, drawn over the boxes"),
  texts: z.array(z.strictObject({
    text: z.string().min(1).max(4096).regex(/^[^\0]*$/, "no NUL")
      .describe("What is written; line ends break it"),
    x: left,
    y: top,
    size: z.int().min(1).max(2000).default(24).describe("Height of the letters, in pixels"),
    color: color.default("white"),
    background: colorSchema.optional().describe("Colour behind it; none if absent"),
  })).max(256).default([]).describe("Texts, drawn last"),
});

/** A box of a {@linkcode VideoOverlay}. */
export interface OverlayBox {
  /** Left edge in pixels. @default 0 */
  x?: number;
  /** Upper edge in pixels. @default 0 */
  y?: number;
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** A name, `#RRGGBB` or `#RRGGBBAA`. @default "red" */
  color?: string;
  /** Width of its line in pixels, or `"fill"`. @default 2 */
  thickness?: number | "fill";
}

/** A picture of a {@linkcode VideoOverlay}. */
export interface OverlayImage {
  /** A PNG, JPEG or WebP file in base64. */
  data: string;
  /** Left edge in pixels. @default 0 */
  x?: number;
  /** Upper edge in pixels. @default 0 */
  y?: number;
  /** Width in pixels. @default its own, or what keeps its shape */
  width?: number;
  /** Height in pixels. @default its own, or what keeps its shape */
  height?: number;
  /** How much of it is seen, 0 to 1. @default 1 */
  opacity?: number;
}

/** A text of a {@linkcode VideoOverlay}. */
export interface OverlayText {
  /** What is written; line ends break it. */
  text: string;
  /** Left edge in pixels. @default 0 */
  x?: number;
  /** Upper edge in pixels. @default 0 */
  y?: number;
  /** Height of the letters, in pixels. @default 24 */
  size?: number;
  /** A name, `#RRGGBB` or `#RRGGBBAA`. @default "white" */
  color?: string;
  /** Colour behind it. @default none */
  background?: string;
}

/** Options of {@linkcode VideoOverlay}. */
export interface VideoOverlayOptions {
  /** Boxes, drawn first; at most 256. @default [] */
  boxes: OverlayBox[];
  /** A picture, drawn over the boxes. @default none */
  image?: OverlayImage;
  /** Texts, drawn last, in the system's default font; at most 256. @default [] */
  texts: OverlayText[];
}

/**
 * Draws boxes, a picture and texts onto video frames, by ffmpeg's `drawbox`, `overlay` and `drawtext`: one frame
 * for each, with its time, duration and metadata. What is outside a frame is cut off.
 *
 * A frame waits for ffmpeg, and markers keep their place. With `concurrency: 3` ffmpeg works while other frames
 * travel. The picture is kept in a temporary file until the node closes. Texts need an ffmpeg with `drawtext`
 * and a font on the system. Throws a `MediaError` with ffmpeg's words if the picture cannot be read. The way of the
 * pixels to ffmpeg and back costs more than the drawing does: see docs/speed.md.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoOverlay } from "@remotemedia/sdk/nodes";
 *
 * const black = new VideoFrame({ data: new Uint8Array(256), format: "RGBA", codedWidth: 8, codedHeight: 8 });
 * const marked = ReadableStream.from([black]).pipeThrough(
 *   new VideoOverlay({ boxes: [{ width: 8, height: 4, color: "#ff0000", thickness: "fill" }] }),
 * );
 * for await (const { data } of marked) console.log(data[0], data[255 - 3]); // 255 0
 * ```
 */
export class VideoOverlay extends Node<VideoFrame, VideoFrame, VideoOverlayOptions> {
  /** The name of the type. */
  static override readonly type = "VideoOverlay";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** Nothing is kept between frames. */
  static override readonly stateless = true;
  #filter: PictureFilter | undefined;
  #file: Awaited<ReturnType<typeof writeImage>> | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    const { image } = this.options;
    if (image !== undefined) this.#file = await writeImage(image.data, context.name);
    const graph = graphOf(this.options, this.#file);
    this.#filter = await PictureFilter.open(context, { graph: () => graph });
  }

  /** Gives the frame with what is drawn on it. */
  process(frame: VideoFrame): Promise<VideoFrame | undefined> {
    return this.#filter!.run(requireVideo(this, frame));
  }

  /** Drops what is under way. */
  override onInterrupt(): void {
    this.#filter?.drop();
  }

  /** Waits until ffmpeg is gone, and removes the picture's file. */
  override async close(): Promise<void> {
    await this.#filter?.close();
    if (this.#file !== undefined) await Deno.remove(this.#file.path);
    this.#file = undefined;
  }
}

function graphOf(
  { boxes, image, texts }: VideoOverlayOptions,
  file: { path: string; format: string } | undefined,
): string {
  const before = boxes.map(({ x, y, width, height, color, thickness }) =>
    `drawbox=${x}:${y}:${width}:${height}:${color}:${thickness}`
  );
  const after = texts.map(({ text, x, y, size, color, background }) =>
    `drawtext=expansion=none:text=${quoted(text)}:x=${x}:y=${y}:fontsize=${size}` +
    `:fontcolor=${color}` + (background === undefined ? "" : `:box=1:boxcolor=${background}`)
  );
  if (image === undefined || file === undefined) return [...before, ...after].join(",") || "null";
  const { x, y, width, height, opacity } = image;
  const filters = [`movie=${quoted(file.path)}:format_name=${file.format}`, "format=rgba"];
  if (width !== undefined || height !== undefined) {
    filters.push(`scale=${width ?? -1}:${height ?? -1}`);
  }
  if (opacity !== undefined && opacity < 1) filters.push(`colorchannelmixer=aa=${opacity}`);
  const main = ["[in]", before.join(",") || "null"].join("");
  const last = [`[frames][image]overlay=${x}:${y}:format=auto:eof_action=repeat`, ...after];
  return `${main}[frames];${filters.join(",")}[image];${last.join(",")}[out]`;
}

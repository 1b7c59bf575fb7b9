import type { PixelFormat, VideoFrame } from "../../../core/frames/video_frame.ts";
import type { NodeContext } from "../../../core/node.ts";
import { PictureTool } from "./picture_tool.ts";
import { everyPictureArgs } from "./rate.ts";
import { pictureArgs, PictureParser } from "./video_line.ts";

/** A filter that gives one picture for each. */
export interface PictureFilterOptions {
  /** Makes the graph for pictures like this one; an empty one changes nothing. */
  graph: (first: VideoFrame) => string;
  /** Pixel format of what is given. @default that of the frames that come */
  format?: PixelFormat;
}

/** Pictures through a graph that gives one for each: with the time, duration and metadata of what came. */
export class PictureFilter {
  readonly #tool: PictureTool<VideoFrame>;

  private constructor(tool: PictureTool<VideoFrame>) {
    this.#tool = tool;
  }

  /** Makes one; ffmpeg is started with the first picture. */
  static async open(
    context: NodeContext,
    { graph, format }: PictureFilterOptions,
  ): Promise<PictureFilter> {
    const rate = await everyPictureArgs();
    return new PictureFilter(
      new PictureTool((first) => {
        const given = format ?? first.format;
        return {
          action: `filter video in ${context.name}`,
          args: pictureArgs(graph(first) || "null", given, rate),
          parser: new PictureParser(given, first.timestamp),
        };
      }, context),
    );
  }

  /** The picture that becomes of one; `undefined` if it was dropped meanwhile. */
  async run(frame: VideoFrame): Promise<VideoFrame | undefined> {
    const { timestamp, duration, metadata } = frame;
    return (await this.#tool.run(frame))?.with({ timestamp, duration, metadata });
  }

  /** Ends it at once: what it would still give is dropped. */
  drop(): void {
    this.#tool.drop();
  }

  /** Resolves when no process is left. */
  close(): Promise<void> {
    return this.#tool.close();
  }
}

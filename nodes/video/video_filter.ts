import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import { type PixelFormat, pixelFormats, type VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { checkGraph } from "./_filter/check_graph.ts";
import { FilterStream } from "./_filter/filter_stream.ts";
import { everyPictureArgs } from "./_filter/rate.ts";
import { VideoLine } from "./_filter/video_line.ts";
import { requireVideo } from "./_frames.ts";

const schema = z.strictObject({
  graph: z.string().min(1).max(100_000).describe("Filter graph in ffmpeg's words").meta({
    examples: ["hflip"],
  }),
  format: z.enum(pixelFormats).optional().describe("Pixel format of what is given"),
});

/** Options of {@linkcode VideoFilter}. */
export interface VideoFilterOptions {
  /** A filter graph in ffmpeg's words, with one input and one output: `"hflip,eq=contrast=1.2"`. */
  graph: string;
  /** Pixel format of what is given. @default that of the frames that come */
  format?: PixelFormat;
}

/**
 * Any ffmpeg filter graph over video frames, in one ffmpeg that runs along (https://ffmpeg.org/ffmpeg-filters.html).
 *
 * The graph is checked when the node opens, before the first frame; ffmpeg's own words are in the error. What
 * only shows with the size of the frames (a crop that is larger than they are) fails with the first frame.
 *
 * Timestamps are those of ffmpeg, exact to the µs, through filters that delay, drop, double or shift too. The node
 * adds no frame of delay of its own: what comes out is given at once, the rest at the end. An output
 * has the metadata of the last frame that does not start after it, and its duration if it starts with it. Frames of
 * another size or format, or of an earlier time, end the graph's input; what it holds comes out, and it starts anew
 * with them. A graph that has enough (`trim`) drops what comes after. Markers do not wait for frames inside the graph.
 *
 * At most 8 outputs wait here beside those of one piece of the pipe (64 KiB) and what ffmpeg itself holds. An
 * interrupt drops what is inside.
 *
 * Pixels travel to ffmpeg and back through pipes, which costs more than a light filter: mirroring 1080p runs at a
 * fifth to a third of the speed of one ffmpeg that reads a file, see docs/speed.md. Where several filters follow each
 * other, put them in one graph. Graphs can read files and the network (`movie`, `zmq`): a server offers this node
 * only where its policy says so.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoFilter } from "@remotemedia/sdk/nodes";
 *
 * const black = new VideoFrame({ data: new Uint8Array(64), format: "RGBA", codedWidth: 4, codedHeight: 4 });
 * const inverted = ReadableStream.from([black]).pipeThrough(new VideoFilter({ graph: "negate" }));
 * for await (const frame of inverted) console.log(frame.data[0]); // 255
 * ```
 */
export class VideoFilter extends Node<
  VideoFrame,
  VideoFrame,
  VideoFilterOptions,
  Partial<VideoFilterOptions> & Pick<VideoFilterOptions, "graph">
> {
  /** The name of the type. */
  static override readonly type = "VideoFilter";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["run"];
  #stream: FilterStream<VideoFrame> | undefined;

  /** Checks the graph. @throws {MediaError} with ffmpeg's words, if ffmpeg cannot make it */
  override async open(context: NodeContext): Promise<void> {
    const { graph, format } = this.options;
    const action = `filter video in ${context.name}`;
    await checkGraph("video", graph, { action, signal: context.signal });
    const rate = await everyPictureArgs();
    const begin = (first: VideoFrame) => new VideoLine(first, { graph, format, rate });
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives what the graph has given so far. */
  process(frame: VideoFrame): AsyncGenerator<VideoFrame> {
    return this.#stream!.push(requireVideo(this, frame));
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<VideoFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives what the graph still holds. */
  override flush(): AsyncGenerator<VideoFrame> {
    return this.#stream!.end();
  }

  /** Drops what is inside the graph. */
  override onInterrupt(): void {
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#stream?.close();
  }
}

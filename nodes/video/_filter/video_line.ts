import { type PixelFormat, VideoFrame } from "../../../core/frames/video_frame.ts";
import { pixelFormatNames } from "../../io/ffmpeg/decode_args.ts";
import { pixelFourccs } from "../../io/ffmpeg/encode_args.ts";
import { NutReader } from "../../io/ffmpeg/nut_reader.ts";
import { NutWriter } from "../../io/ffmpeg/nut_writer.ts";
import { inputArgs, type Line, OFFSET_US, outputArgs } from "./line.ts";
import { Origins } from "./origins.ts";
import type { ToolParser } from "./tool_run.ts";

/** Writes pictures of one format to ffmpeg. */
export class PictureWriter {
  readonly #first: VideoFrame;
  readonly #nut: NutWriter;
  #lastUs = -Infinity;

  constructor(first: VideoFrame) {
    this.#first = first;
    this.#nut = new NutWriter([{
      kind: "video",
      fourcc: pixelFourccs[first.format],
      timeBase: { num: 1, den: 1_000_000 },
      shape: [first.codedWidth, first.codedHeight],
    }]);
  }

  /** What is written first. */
  header(): Uint8Array {
    return this.#nut.header();
  }

  /** Whether a picture is of the same format, and later than the one before. */
  accepts({ format, codedWidth, codedHeight, timestamp }: VideoFrame): boolean {
    const first = this.#first;
    return timestamp > this.#lastUs && format === first.format &&
      codedWidth === first.codedWidth && codedHeight === first.codedHeight;
  }

  /** What is written for a picture. */
  pieces({ timestamp, data }: VideoFrame): Uint8Array[] {
    this.#lastUs = timestamp;
    return [this.#nut.frameHeader(0, timestamp - this.#first.timestamp, data.length), data];
  }
}

/** The arguments with which ffmpeg gives pictures of `format`, at their own times. */
export function pictureArgs(
  graph: string,
  format: PixelFormat,
  rate: readonly string[],
): readonly string[] {
  return [
    ...inputArgs,
    ...["-map", "0:v", "-vf", graph, "-c:v", "rawvideo", "-pix_fmt", pixelFormatNames[format]],
    ...[...rate, "-enc_time_base:v", "1:1000000"],
    ...outputArgs,
  ];
}

/** Bytes in a buffer of their own, so that a frame of them can be transferred. */
export function owned(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength ? data : data.slice();
}

/** Reads pictures of `format`, whose times count from the start of the first that was written. */
export class PictureParser implements ToolParser<VideoFrame> {
  readonly #nut = new NutReader();
  readonly #format: PixelFormat;
  readonly #startUs: number;
  readonly #origins: Origins | undefined;

  constructor(format: PixelFormat, startUs: number, origins?: Origins) {
    this.#format = format;
    this.#startUs = startUs;
    this.#origins = origins;
  }

  get isInside(): boolean {
    return this.#nut.isInside;
  }

  push(piece: Uint8Array): VideoFrame[] {
    return this.#nut.push(piece).map(({ stream, data, timestampUs }) => {
      const timestamp = Math.round(timestampUs - OFFSET_US) + this.#startUs;
      const origin = this.#origins?.at(timestamp);
      return new VideoFrame({
        data: owned(data),
        format: this.#format,
        codedWidth: stream.width,
        codedHeight: stream.height,
        timestamp,
        duration: origin?.timestamp === timestamp ? origin.duration : undefined,
        metadata: origin?.metadata,
      });
    });
  }
}

/** Pictures through a filter that may give more or fewer of them. */
export class VideoLine implements Line<VideoFrame> {
  readonly args: readonly string[];
  readonly parser: PictureParser;
  readonly #writer: PictureWriter;
  readonly #origins = new Origins();

  constructor(
    first: VideoFrame,
    { graph, format = first.format, rate }: {
      graph: string;
      format?: PixelFormat;
      rate: readonly string[];
    },
  ) {
    this.args = pictureArgs(graph, format, rate);
    this.parser = new PictureParser(format, first.timestamp, this.#origins);
    this.#writer = new PictureWriter(first);
  }

  header(): Uint8Array {
    return this.#writer.header();
  }

  accepts(frame: VideoFrame): boolean {
    return this.#writer.accepts(frame);
  }

  pieces(frame: VideoFrame): Uint8Array[] {
    this.#origins.add(frame);
    return this.#writer.pieces(frame);
  }
}

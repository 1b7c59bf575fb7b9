import { MediaError } from "../../../core/errors.ts";
import { pixelBytes, type PixelFormat, VideoFrame } from "../../../core/frames/video_frame.ts";
import type { ReadJob } from "../_read_job.ts";
import { type TimeRange, timeRange } from "../_time_range.ts";
import type { NutStream } from "./nut_reader.ts";

/** Packets of pixels as frames. */
export class DecodedVideo {
  readonly #stream: NutStream;
  readonly #name: string;
  readonly #format: PixelFormat;
  readonly #duration: number | undefined;
  readonly #range: TimeRange;

  constructor(stream: NutStream, { name, options }: ReadJob) {
    const { format = "I420", fps } = options.video ?? {};
    this.#stream = stream;
    this.#name = name;
    this.#format = format;
    this.#duration = fps === undefined ? undefined : 1e6 / fps;
    this.#range = timeRange(options);
  }

  /** Takes one picture, which is shown at `timestampUs`. */
  push(data: Uint8Array, timestampUs: number): VideoFrame[] {
    const timestamp = Math.round(timestampUs);
    if (timestamp < Math.round(this.#range.fromUs) || timestamp >= this.#range.toUs) return [];
    const { width, height } = this.#stream;
    if (data.length !== pixelBytes(this.#format, width, height)) {
      throw new MediaError(
        `Cannot read media from ${this.#name} as its pictures change their size at ${
          timestampUs / 1e6
        } s: give video.width and video.height`,
      );
    }
    return [
      new VideoFrame({
        data: data.slice(), // of its own, so that it can be transferred
        format: this.#format,
        codedWidth: width,
        codedHeight: height,
        timestamp,
        duration: this.#duration,
      }),
    ];
  }

  /** Nothing is ever left. */
  flush(): VideoFrame[] {
    return [];
  }
}

import { cannot } from "../errors.ts";
import { checkTimestamp, checkWhole, type FrameInit, type Metadata, noMetadata } from "./_frame.ts";

/** Pixel formats, in WebCodecs' words. */
export const pixelFormats = ["I420", "NV12", "RGBA", "BGRA", "RGBX"] as const;

/** A pixel format, in WebCodecs' word for it. */
export type PixelFormat = typeof pixelFormats[number];

/** What a {@linkcode VideoFrame} is made of. */
export interface VideoFrameInit extends FrameInit {
  /** The pixels, planes one after another without padding. */
  data: Uint8Array;
  /** How `data` is laid out. */
  format: PixelFormat;
  /** Width, in pixels. */
  codedWidth: number;
  /** Height, in pixels. */
  codedHeight: number;
  /** How long it is shown, in µs. */
  duration?: number;
}

/**
 * The bytes that a picture takes: `width × height × 4` for RGBA, BGRA, RGBX; for I420 and NV12 a
 * luma plane and two chroma planes of half the size each way, rounded up.
 */
export function pixelBytes(format: PixelFormat, width: number, height: number): number {
  if (format === "I420" || format === "NV12") {
    return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  }
  return width * height * 4;
}

/**
 * An uncompressed picture, with the field names of WebCodecs' `VideoFrame`.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 *
 * const black = new VideoFrame({
 *   data: new Uint8Array(4 * 2 * 4),
 *   format: "RGBA",
 *   codedWidth: 4,
 *   codedHeight: 2,
 *   timestamp: 40_000,
 * });
 * console.log(black.codedWidth); // 4
 * ```
 */
export class VideoFrame {
  /** Tells the kinds of frames apart. */
  readonly kind = "video";
  /** The pixels, planes one after another without padding. */
  readonly data: Uint8Array;
  /** How `data` is laid out. */
  readonly format: PixelFormat;
  /** Width, in pixels. */
  readonly codedWidth: number;
  /** Height, in pixels. */
  readonly codedHeight: number;
  /** When it is shown, in µs, a whole number. */
  readonly timestamp: number;
  /** How long it is shown, in µs; `undefined` where that is not known. */
  readonly duration: number | undefined;
  /** Whatever else travels with the frame. */
  readonly metadata: Metadata;

  /**
   * Checks and keeps what it is given; copies nothing.
   *
   * @param init the pixels and what they mean
   * @throws {TypeError} if `data` is not a `Uint8Array` or the format is not known
   * @throws {RangeError} if a size cannot be, or `data` does not have the bytes that it takes
   */
  constructor(init: VideoFrameInit) {
    const { data, format, codedWidth, codedHeight, timestamp = 0, metadata = noMetadata } = init;
    const action = "create VideoFrame";
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(cannot(action, { rule: "data must be a Uint8Array", value: data }));
    }
    if (!pixelFormats.includes(format)) {
      const rule = `format must be one of ${pixelFormats.join(", ")}`;
      throw new TypeError(cannot(action, { rule, value: format }));
    }
    checkWhole(action, "codedWidth", codedWidth, 1);
    checkWhole(action, "codedHeight", codedHeight, 1);
    const bytes = pixelBytes(format, codedWidth, codedHeight);
    if (data.length !== bytes) {
      const rule = `data must hold the ${bytes} bytes of ${codedWidth} × ${codedHeight} ${format}`;
      throw new RangeError(cannot(action, { rule, value: `${data.length} bytes` }));
    }
    this.data = data;
    this.format = format;
    this.codedWidth = codedWidth;
    this.codedHeight = codedHeight;
    this.timestamp = checkTimestamp(action, timestamp);
    this.duration = init.duration === undefined ? undefined : checkTimestamp(action, init.duration);
    this.metadata = metadata;
  }

  /** A frame like this one but for the fields given. `metadata` is replaced, not merged. */
  with(changes: Partial<VideoFrameInit>): VideoFrame {
    const { data, format, codedWidth, codedHeight, timestamp, duration, metadata } = this;
    return new VideoFrame({
      data,
      format,
      codedWidth,
      codedHeight,
      timestamp,
      duration,
      metadata,
      ...changes,
    });
  }
}

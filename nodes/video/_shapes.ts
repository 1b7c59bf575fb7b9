import { z } from "zod";

/** The largest side of a picture, in pixels. */
export const MAX_SIDE = 16_384;

/** A side of a picture, in pixels. */
export const sideSchema: z.ZodInt = z.int().min(1).max(MAX_SIDE);

/** A colour as ffmpeg takes it: a name, `#RRGGBB` or `#RRGGBBAA`. */
export const colorSchema: z.ZodString = z.string()
  .regex(/^(#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?|[a-zA-Z]{3,20})$/, "a name, #RRGGBB or #RRGGBBAA");

/** How a picture comes into a size of another shape. */
export const fits = ["contain", "cover", "fill", "inside"] as const;

/** How pixels in between are found. */
export const resamplers = ["bilinear", "bicubic", "lanczos", "neighbor", "area"] as const;

/** How a picture comes into a size of another shape. */
export type VideoFit = "contain" | "cover" | "fill" | "inside";

/** How pixels in between are found. */
export type VideoResampler = "bilinear" | "bicubic" | "lanczos" | "neighbor" | "area";

/** A size that is asked for. */
export interface SizeWish {
  /** Width in pixels. */
  width?: number;
  /** Height in pixels. */
  height?: number;
  /** How a picture comes into a size of another shape. */
  fit: VideoFit;
  /** How pixels in between are found. */
  resampler: VideoResampler;
  /** Colour around it, with `contain`. */
  background: string;
}

/**
 * Before a filter that draws borders of an odd width: where four pixels share a colour, ffmpeg's `pad` rounds sizes
 * and places down to even ones, and fails where the picture then does not fit.
 */
export const colorOfEachPixel = "format=yuv444p|rgba|bgra|rgb0|bgr0";

/** The filters that bring a picture to a size; none if no size is asked for. */
export function resizeFilters({ width, height, fit, resampler, background }: SizeWish): string[] {
  if (width === undefined && height === undefined) return [];
  const flags = `flags=${resampler}`;
  if (width === undefined || height === undefined) {
    return [`scale=${width ?? -1}:${height ?? -1}:${flags}`, "setsar=1"];
  }
  const size = `${width}:${height}`;
  switch (fit) {
    case "fill":
      return [`scale=${size}:${flags}`, "setsar=1"];
    case "inside":
      return [`scale=${size}:${flags}:force_original_aspect_ratio=decrease`, "setsar=1"];
    case "contain":
      return [
        `scale=${size}:${flags}:force_original_aspect_ratio=decrease`,
        ...(width % 2 === 0 && height % 2 === 0 ? [] : [colorOfEachPixel]),
        `pad=${size}:(ow-iw)/2:(oh-ih)/2:color=${background}`,
        "setsar=1",
      ];
    case "cover":
      return [
        `scale=${size}:${flags}:force_original_aspect_ratio=increase`,
        `crop=${size}:exact=1`,
        "setsar=1",
      ];
  }
}

/** A text as a value inside a graph: no letter of it means anything to ffmpeg. */
export function quoted(text: string): string {
  return text.replace(/[\\':]/g, "\\$&").replace(/[\\'[\],;]/g, "\\$&");
}

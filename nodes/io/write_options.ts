import { z, type ZodType } from "zod";
import { type SampleFormat, sampleFormats } from "./wav/samples.ts";

/** How audio is encoded, in {@linkcode MediaWriteOptions}. */
export interface AudioWriteOptions {
  /** ffmpeg's name of the encoder, as `libmp3lame`, `aac`, `libopus`. @default what the format has */
  codec?: string;
  /** Bits a second. @default what the encoder thinks right */
  bitrate?: number;
}

/** How video is encoded, in {@linkcode MediaWriteOptions}. */
export interface VideoWriteOptions {
  /** ffmpeg's name of the encoder, as `libx264`, `libvpx-vp9`. @default what the format has */
  codec?: string;
  /** Bits a second. @default what the encoder thinks right */
  bitrate?: number;
  /** Pictures a second, at a constant rate. @default the frames' own times */
  fps?: number;
  /** ffmpeg's name of the pixel format in the file. @default "yuv420p", or what the encoder has instead */
  pixelFormat?: string;
}

/** How media is written, as data: what `writeMedia()` and `MediaWriter` share. */
export interface MediaWriteOptions {
  /** `wav`, or ffmpeg's name of a format, as `mp3`, `mp4`, `webm`. @default by the file's ending; for a stream `wav` */
  format?: string;
  /** How samples are stored, where the format stores them plainly or without loss. @default for WAV "s16" */
  sampleFormat?: SampleFormat;
  /** How audio is encoded; `false` leaves it out. @default if there is any in the first second */
  audio?: false | AudioWriteOptions;
  /** How video is encoded; `false` leaves it out. @default if there is any in the first second */
  video?: false | VideoWriteOptions;
  /** Where audio has a gap of 10 ms or more: fill it with silence, or skip it. @default "silence" */
  gaps?: "silence" | "skip";
  /** The ffmpeg program. @default the environment's `FFMPEG_PATH`, else `ffmpeg` on the `PATH` */
  ffmpeg?: string;
}

/** {@linkcode MediaWriteOptions} with the defaults filled in. */
export interface WriteOptions extends MediaWriteOptions {
  /** What becomes of gaps. */
  gaps: "silence" | "skip";
}

const codec = z.string().regex(/^[\w-]+$/, "it must be the name of an encoder of ffmpeg").optional()
  .describe("ffmpeg's name of the encoder; by default what the format has");
const bitrate = z.int().min(1).optional()
  .describe("Bits a second; by default what the encoder thinks right");

const audio = z.strictObject({ codec, bitrate });

const video = z.strictObject({
  codec,
  bitrate,
  fps: z.number().positive().max(1000).optional()
    .describe("Pictures a second, at a constant rate; by default the frames' own times"),
  pixelFormat: z.string().regex(/^\w+$/, "it must be the name of a pixel format").optional()
    .describe("ffmpeg's name of the pixel format in the file; by default yuv420p"),
});

/** The fields of {@linkcode mediaWriteOptions}, for schemas that add their own. */
export const writeFields = {
  format: z.string().regex(/^[\w-]+$/, "it must be the name of a format").optional().describe(
    "wav, or ffmpeg's name of a format; by default by the file's ending, for a stream wav",
  ),
  sampleFormat: z.enum(sampleFormats).optional()
    .describe("How samples are stored; by default for WAV s16, else what the encoder has"),
  audio: z.union([z.literal(false), audio]).optional().describe(
    "How audio is encoded; false leaves it out",
  ),
  video: z.union([z.literal(false), video]).optional().describe(
    "How video is encoded; false leaves it out",
  ),
  gaps: z.enum(["silence", "skip"]).default("silence")
    .describe("Where audio has a gap of 10 ms or more: fill it with silence, or skip it"),
  ffmpeg: z.string().min(1).optional()
    .describe("The ffmpeg program; by default FFMPEG_PATH, else ffmpeg on the PATH"),
};

/** Checks and completes {@linkcode MediaWriteOptions}. */
export const mediaWriteOptions: ZodType<WriteOptions, MediaWriteOptions> = refineWrite(
  z.strictObject(writeFields),
);

/** Adds the rules between fields to a schema with {@linkcode writeFields}. */
export function refineWrite<Output extends WriteOptions, Input>(
  schema: ZodType<Output, Input>,
): ZodType<Output, Input> {
  return schema
    .refine(({ audio, video }) => audio !== false || video !== false, {
      message: "there must be audio or video to write",
      path: ["audio"],
    })
    .refine(({ gaps, video }) => gaps !== "skip" || !video, {
      message: "gaps cannot be skipped beside video, which would be out of step",
      path: ["gaps"],
    });
}

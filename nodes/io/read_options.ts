import { z, type ZodType } from "zod";
import { MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import { type PixelFormat, pixelFormats } from "../../core/frames/video_frame.ts";
import { type SampleFormat, sampleFormats } from "./wav/samples.ts";

/** How video is to come, in {@linkcode MediaOptions}. */
export interface VideoReadOptions {
  /** Width, in pixels. @default as in the media, or as `height` asks for */
  width?: number;
  /** Height, in pixels. @default as in the media, or as `width` asks for */
  height?: number;
  /** Pictures a second, at a constant rate. @default as in the media, which need not be constant */
  fps?: number;
  /** Pixel format. @default "I420" */
  format?: PixelFormat;
}

/** Samples without a header, in {@linkcode MediaOptions}. */
export interface PcmReadOptions {
  /** How a sample is stored, little-endian. */
  sampleFormat: SampleFormat;
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels, interleaved. @default 1 */
  channels?: number;
}

/** How media is read, as data: what `readMedia()` and `MediaReader` share. */
export interface MediaOptions {
  /** Samples a second to convert to, in Hz. @default as in the media */
  sampleRate?: number;
  /** Channels to convert to. @default as in the media */
  channels?: number;
  /** How long an audio frame is, in ms, rounded to whole samples. @default 20 */
  frameMs?: number;
  /** Whether to read audio. @default true; with `video`, if there is any */
  audio?: boolean;
  /** Reads video, and how: `{}` as it is in the media. @default no video */
  video?: VideoReadOptions;
  /** Where to start, in s from the start of the media. @default 0 */
  start?: number;
  /** How much to read, in s. @default all */
  duration?: number;
  /** Gives frames no faster than they play. @default false */
  realtime?: boolean;
  /** The input is samples without a header. */
  pcm?: PcmReadOptions;
  /** The ffmpeg program. @default the environment's `FFMPEG_PATH`, else `ffmpeg` on the `PATH` */
  ffmpeg?: string;
}

/** {@linkcode MediaOptions} with the defaults filled in. */
export interface ReadOptions extends MediaOptions {
  /** How long an audio frame is, in ms. */
  frameMs: number;
  /** Whether to give frames no faster than they play. */
  realtime: boolean;
  /** How to read video; `undefined` for none. */
  video?: VideoReadOptions & { format: PixelFormat };
  /** Samples without a header. */
  pcm?: Required<PcmReadOptions>;
}

const rate = z.int().min(1).max(768_000);
const channels = z.int().min(1).max(MAX_CHANNELS);
const pixels = z.int().min(1).max(16_384);

const video = z.strictObject({
  width: pixels.optional().describe("Width, in pixels; by default as in the media"),
  height: pixels.optional().describe("Height, in pixels; by default as in the media"),
  fps: z.number().positive().max(1000).optional()
    .describe("Pictures a second, at a constant rate; by default as in the media"),
  format: z.enum(pixelFormats).default("I420").describe("Pixel format"),
});

const pcm = z.strictObject({
  sampleFormat: z.enum(sampleFormats).describe("How a sample is stored, little-endian"),
  sampleRate: rate.describe("Samples a second, in Hz"),
  channels: channels.default(1).describe("Channels, interleaved"),
});

/** The fields of {@linkcode mediaOptions}, for schemas that add their own. */
export const mediaFields = {
  sampleRate: rate.optional().describe("Samples a second to convert to, in Hz"),
  channels: channels.optional().describe(
    "Channels to convert to: to 1 their mean, from 1 copies, others as AudioTransform does",
  ),
  frameMs: z.number().positive().max(60_000).default(20)
    .describe("How long an audio frame is, in ms, rounded to whole samples"),
  audio: z.boolean().optional()
    .describe("Whether to read audio; by default yes, or with video: if there is any"),
  video: video.optional().describe("Reads video, and how; {} as it is in the media"),
  start: z.number().min(0).optional().describe("Where to start, in s from the start of the media"),
  duration: z.number().positive().optional().describe("How much to read, in s"),
  realtime: z.boolean().default(false).describe("Gives frames no faster than they play"),
  pcm: pcm.optional().describe("The input is samples without a header: what they are"),
  ffmpeg: z.string().min(1).optional()
    .describe("The ffmpeg program; by default FFMPEG_PATH, else ffmpeg on the PATH"),
};

/** Adds the rules between fields to a schema with {@linkcode mediaFields}. */
export function refineMedia<Output extends MediaOptions, Input>(
  schema: ZodType<Output, Input>,
): ZodType<Output, Input> {
  return schema
    .refine(({ audio, video }) => audio !== false || video !== undefined, {
      message: "there must be audio or video to read",
      path: ["audio"],
    })
    .refine(({ pcm, video }) => pcm === undefined || video === undefined, {
      message: "samples without a header have no video",
      path: ["video"],
    });
}

/** Checks and completes {@linkcode MediaOptions}. */
export const mediaOptions: ZodType<ReadOptions, MediaOptions> = refineMedia(
  z.strictObject(mediaFields),
);

import type { PixelFormat } from "../../../core/frames/video_frame.ts";
import { MAX_CHANNELS } from "../../../core/frames/audio_frame.ts";
import type { ReadOptions } from "../read_options.ts";

/** Pixel formats in ffmpeg's words. */
export const pixelFormatNames: Readonly<Record<PixelFormat, string>> = {
  I420: "yuv420p",
  NV12: "nv12",
  RGBA: "rgba",
  BGRA: "bgra",
  RGBX: "rgb0",
};

/** Where ffmpeg reads from. */
export interface DecodeSource {
  /** A path with `file:` before it, a URL, or `pipe:0`. */
  url: string;
  /** What the input may itself point to, as playlists do; not given: what ffmpeg thinks right. */
  protocols?: string;
  /** Whether it comes as it happens: then nothing waits to be sent with more. */
  isLive: boolean;
  /** Whether its audio cannot have gaps: then it can come in larger pieces, which costs less. */
  isGapless: boolean;
  /** Whether what it is may be judged by its first second: else ffmpeg reads up to 5 s before it gives anything. */
  isJudgedSoon?: boolean;
  /** Whether timestamps are to be those of the media's own clock. */
  keepsClock: boolean;
}

/** Where decoding starts before what is wanted, in s: the first samples after a jump are not right. */
const PREROLL = 0.25;

/** How much later than the other one a stream may come before ffmpeg goes on without it, in µs. */
const MAX_INTERLEAVE_US = 1_000_000;

/** How much of a live input ffmpeg hears before it gives the first frame, in µs. */
const JUDGED_SOON_US = 1_000_000;

/**
 * Where ffmpeg is told to start, in s from the input's start. Whole seconds: every time base has them, so
 * that nothing is rounded.
 */
export function seekTo({ start = 0 }: ReadOptions): number {
  return Math.max(0, Math.floor(start - PREROLL));
}

/**
 * The arguments with which ffmpeg decodes to NUT on its standard output. What lies before `start` or after
 * `duration` is cut off exactly by whoever reads it.
 */
export function decodeArgs(source: DecodeSource, options: ReadOptions): string[] {
  const { url, protocols, isLive, isGapless, isJudgedSoon, keepsClock } = source;
  const { audio, video, duration, start = 0 } = options;
  const isCoarse = isGapless && !isLive;
  const seek = seekTo(options);
  const args = ["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"];
  if (protocols !== undefined) args.push("-protocol_whitelist", protocols);
  if (keepsClock) args.push("-copyts");
  if (seek > 0) args.push("-ss", String(seek));
  if (isJudgedSoon) args.push("-analyzeduration", String(JUDGED_SOON_US));
  args.push("-i", url);
  if (audio !== false) args.push(...audioArgs(options, isCoarse));
  if (video !== undefined) args.push(...videoArgs(video));
  if (duration !== undefined) args.push("-t", seconds(start - seek + duration + 1));
  args.push("-map_metadata", "-1", "-map_chapters", "-1");
  args.push("-max_interleave_delta", String(MAX_INTERLEAVE_US));
  args.push("-flush_packets", isLive ? "1" : "0", "-f", "nut", "pipe:1");
  return args;
}

function audioArgs(options: ReadOptions, isCoarse: boolean): string[] {
  const { audio, video, sampleRate, channels } = options;
  const isOptional = audio === undefined && video !== undefined;
  const args = ["-map", isOptional ? "0:a:0?" : "0:a:0", "-c:a", "pcm_f32le"];
  if (sampleRate !== undefined) args.push("-ar", String(sampleRate));
  const filters: string[] = [];
  if (isCoarse) filters.push("asetnsamples=4096:p=0");
  if (channels === 1) filters.push(meanFilter);
  if (filters.length > 0) args.push("-af", filters.join(","));
  return args;
}

/**
 * The mean of all channels, however many there are: `<` scales the gains of those that are there to a sum
 * of 1. ffmpeg's own way to one channel makes stereo 3 dB louder.
 */
const meanFilter = `pan=mono|c0<${
  Array.from({ length: MAX_CHANNELS }, (_, channel) => `c${channel}`).join("+")
}`;

function videoArgs(video: NonNullable<ReadOptions["video"]>): string[] {
  const { width, height, fps, format } = video;
  const filters: string[] = [];
  if (fps !== undefined) filters.push(`fps=${fps}`);
  if (width !== undefined || height !== undefined) {
    filters.push(`scale=${width ?? -1}:${height ?? -1}`, "setsar=1");
  }
  const args = ["-map", "0:V:0", "-c:v", "rawvideo", "-pix_fmt", pixelFormatNames[format]];
  if (filters.length > 0) args.push("-vf", filters.join(","));
  // timestamps in µs; by default they would be rounded to the frame rate
  return [...args, "-enc_time_base:v", "1:1000000"];
}

/** A number that ffmpeg does not read as something else, such as 1e-7. */
function seconds(value: number): string {
  return value.toFixed(6);
}

import type { PixelFormat } from "../../../core/frames/video_frame.ts";
import type { SampleFormat } from "../wav/samples.ts";
import type { WriteOptions } from "../write_options.ts";
import type { NutWriterStream } from "./nut_writer.ts";

/** Pixel formats as NUT names them. */
export const pixelFourccs: Readonly<Record<PixelFormat, string>> = {
  I420: "I420",
  NV12: "NV12",
  RGBA: "RGBA",
  BGRA: "BGRA",
  RGBX: "RGB\0",
};

/** Formats that people and files call otherwise than ffmpeg. */
const muxers: Readonly<Record<string, string>> = {
  aac: "adts",
  m4a: "ipod",
  m4v: "mp4",
  mkv: "matroska",
  mka: "matroska",
  oga: "ogg",
  ts: "mpegts",
  wma: "asf",
  wmv: "asf",
};

/** Those whose index is put in front at the end, unless they are written in fragments. */
const fragmentable = ["mp4", "ipod", "mov", "3gp", "3g2", "psp", "ismv", "f4v"];

/** Files that hold audio alone, whatever comes. */
const audioFormats = [
  ..."wav mp3 m4a aac flac ogg oga opus wma aiff aif caf ac3 amr mka w64 au ipod adts".split(" "),
];

/** Whether a format has no room for video. */
export function isAudioFormat(format: string): boolean {
  return audioFormats.includes(format);
}

/** Where ffmpeg writes to. */
export interface EncodeTarget {
  /** A path with `file:` before it, or `pipe:1`. */
  url: string;
  /** The format, where the path's ending does not tell it. */
  format: string | undefined;
  /** Whether ffmpeg can go back in it. */
  isSeekable: boolean;
  /** How this ffmpeg is told to keep the frames' own times. */
  variableRate: readonly string[];
}

/** The arguments with which ffmpeg encodes what comes as NUT on its standard input. */
export function encodeArgs(
  streams: readonly NutWriterStream[],
  { url, format, isSeekable, variableRate }: EncodeTarget,
  options: WriteOptions,
): string[] {
  const args = ["-hide_banner", "-nostats", "-loglevel", "level+info", "-y"];
  const video = streams.find(({ kind }) => kind === "video");
  if (video !== undefined) args.push(...probeArgs(video));
  args.push("-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0");
  args.push(...streams.flatMap((_, index) => ["-map", `0:${index}`]));
  if (options.audio) args.push(...codecArgs("a", options.audio));
  if (options.sampleFormat !== undefined) {
    args.push("-af", `aformat=sample_fmts=${sampleFormatNames[options.sampleFormat]}`);
  }
  if (video !== undefined) args.push(...videoArgs(options, variableRate));
  const muxer = format === undefined ? undefined : muxers[format] ?? format;
  if (muxer !== undefined) args.push("-f", muxer);
  if (!isSeekable && fragmentable.includes(muxer ?? "")) args.push(...fragmentArgs);
  return [...args, url];
}

/** ffmpeg looks at the first frames to learn the frame rate: as many as it needs, whatever their size. */
function probeArgs({ shape: [width, height] }: NutWriterStream): string[] {
  const bytes = 7 * 4 * width * height + 5_000_000;
  return ["-fpsprobesize", "5", "-probesize", String(bytes)];
}

/** The index comes in pieces; the first once the delay of the encoder is known, so that time is exact. */
const fragmentArgs = [
  "-movflags",
  "+frag_keyframe+delay_moov+default_base_moof",
  "-frag_duration",
  "1000000",
];

/** The nearest that encoders have, packed or planar. */
const sampleFormatNames: Readonly<Record<SampleFormat, string>> = {
  u8: "u8|u8p",
  s16: "s16|s16p",
  s24: "s32|s32p",
  s32: "s32|s32p",
  f32: "flt|fltp",
  f64: "dbl|dblp",
};

function codecArgs(kind: "a" | "v", { codec, bitrate }: { codec?: string; bitrate?: number }) {
  const args: string[] = [];
  if (codec !== undefined) args.push(`-c:${kind}`, codec);
  if (bitrate !== undefined) args.push(`-b:${kind}`, String(bitrate));
  return args;
}

function videoArgs({ video }: WriteOptions, variableRate: readonly string[]): string[] {
  const { fps, pixelFormat = "yuv420p", ...rest } = video || {};
  const args = [...codecArgs("v", rest), "-pix_fmt", pixelFormat];
  if (fps !== undefined) return [...args, "-r", String(fps)];
  // MPEG-4 takes no finer clock; this one has all usual frame rates
  return [...args, ...variableRate, "-enc_time_base:v", "1:60000"];
}

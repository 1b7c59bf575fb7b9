/** What there is to know of a codec to use it through ffmpeg. */
export interface VideoCodec {
  /** How NUT names it. */
  fourcc: string;
  /** ffmpeg's encoder. */
  encoder: string;
  /** The encoder's arguments: no frame is held back, none is encoded from a later one. */
  live: readonly string[];
  /** Its arguments where frames may be held back for quality. */
  slow: readonly string[];
  /** What scales `quality`, 0 (worst) to 100, to the encoder's own: best and worst value. */
  quality: { name: string; best: number; worst: number; args: readonly string[] };
}

const vpx = ["-row-mt", "1", "-auto-alt-ref", "0", "-error-resilient", "1"];
const vpxLive = [...vpx, "-deadline", "realtime", "-cpu-used", "7", "-lag-in-frames", "0"];
const vpxSlow = [...vpx, "-deadline", "good", "-cpu-used", "2", "-lag-in-frames", "16"];
const x26Slow = ["-preset", "medium", "-bf", "0"];
const x265Args = ["-forced-idr", "1", "-x265-params", "log-level=warning:open-gop=0"];

/** The short word of a codec. */
export type VideoCodecName = "h264" | "hevc" | "vp8" | "vp9" | "av1" | "mjpeg";

/** The codecs, by their short word. */
export const videoCodecs = {
  h264: {
    fourcc: "H264",
    encoder: "libx264",
    live: ["-preset", "veryfast", "-tune", "zerolatency", "-bf", "0"],
    slow: x26Slow,
    quality: { name: "-crf", best: 1, worst: 51, args: [] },
  },
  hevc: {
    fourcc: "HEVC",
    encoder: "libx265",
    live: ["-preset", "ultrafast", "-tune", "zerolatency", "-bf", "0", ...x265Args],
    slow: [...x26Slow, ...x265Args],
    quality: { name: "-crf", best: 1, worst: 51, args: [] },
  },
  vp8: {
    fourcc: "VP80",
    encoder: "libvpx",
    live: vpxLive,
    slow: vpxSlow,
    quality: { name: "-crf", best: 4, worst: 63, args: ["-b:v", "10M"] },
  },
  vp9: {
    fourcc: "VP90",
    encoder: "libvpx-vp9",
    live: vpxLive,
    slow: vpxSlow,
    quality: { name: "-crf", best: 4, worst: 63, args: ["-b:v", "0"] },
  },
  av1: {
    fourcc: "AV01",
    encoder: "libaom-av1",
    live: ["-usage", "realtime", "-cpu-used", "8", "-row-mt", "1", "-lag-in-frames", "0"],
    slow: ["-usage", "good", "-cpu-used", "6", "-row-mt", "1", "-lag-in-frames", "16"],
    quality: { name: "-crf", best: 4, worst: 63, args: ["-b:v", "0"] },
  },
  mjpeg: {
    fourcc: "MJPG",
    encoder: "mjpeg",
    live: ["-strict", "unofficial", "-threads", "1"],
    slow: ["-strict", "unofficial", "-threads", "1"],
    quality: { name: "-q:v", best: 2, worst: 31, args: [] },
  },
} as const satisfies Record<VideoCodecName, VideoCodec>;

/** All of them. */
export const videoCodecNames = Object.keys(videoCodecs) as readonly VideoCodecName[];

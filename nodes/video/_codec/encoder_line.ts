import { EncodedFrame } from "../../../core/frames/encoded_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import { NutReader } from "../../io/ffmpeg/nut_reader.ts";
import { inputArgs, type Line, OFFSET_US, pipeArgs } from "../_filter/line.ts";
import { Origins } from "../_filter/origins.ts";
import type { ToolParser } from "../_filter/tool_run.ts";
import { PictureWriter } from "../_filter/video_line.ts";
import { type VideoCodec, type VideoCodecName, videoCodecs } from "./codecs.ts";

/** How video is encoded. */
export interface EncoderSettings {
  /** The codec. */
  codec: VideoCodecName;
  /** Bits a second; `undefined` where the quality decides. */
  bitrate?: number;
  /** 0 to 100. */
  quality: number;
  /** Seconds from one key frame to the next at most. */
  keyFrameSeconds: number;
  /** Whether frames may be held back. */
  latencyMode: "realtime" | "quality";
  /** How this ffmpeg is told to keep every picture and its time. */
  rate: readonly string[];
}

/** Pictures of one format to packets. */
export class EncoderLine implements Line<VideoFrame, EncodedFrame> {
  readonly args: readonly string[];
  readonly parser: ToolParser<EncodedFrame>;
  readonly #writer: PictureWriter;
  readonly #origins = new Origins();

  constructor(first: VideoFrame, settings: EncoderSettings) {
    this.#writer = new PictureWriter(first);
    this.args = encoderArgs(settings);
    const nut = new NutReader();
    const origins = this.#origins;
    this.parser = {
      get isInside() {
        return nut.isInside;
      },
      push: (piece) =>
        nut.push(piece).map(({ data, timestampUs, isKey }) => {
          const timestamp = Math.round(timestampUs - OFFSET_US) + first.timestamp;
          const { metadata, duration } = origins.at(timestamp);
          return new EncodedFrame({
            data: data.slice(),
            codec: settings.codec,
            type: isKey ? "key" : "delta",
            timestamp,
            duration,
            metadata,
          });
        }),
    };
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

function encoderArgs(settings: EncoderSettings): readonly string[] {
  const { codec, bitrate, quality, keyFrameSeconds, latencyMode, rate } = settings;
  const { encoder, live, slow, quality: scale }: VideoCodec = videoCodecs[codec];
  const isJpeg = codec === "mjpeg";
  const value = Math.round(scale.worst + (scale.best - scale.worst) * quality / 100);
  const bits = bitrate === undefined
    ? [...scale.args, scale.name, String(value)]
    : ["-b:v", String(bitrate), "-maxrate", String(bitrate), "-bufsize", String(bitrate)];
  return [
    ...inputArgs,
    ...["-map", "0:v", "-c:v", encoder, "-pix_fmt", isJpeg ? "yuvj420p" : "yuv420p"],
    ...(latencyMode === "realtime" ? live : slow),
    ...bits,
    ...(isJpeg ? [] : ["-force_key_frames", `expr:gte(t,n_forced*${keyFrameSeconds})`]),
    // parameter sets with each key frame, so that a decoder can begin at any
    ...(codec === "h264" || codec === "hevc" ? ["-bsf:v", "dump_extra=freq=keyframe"] : []),
    ...[...rate, "-enc_time_base:v", "1:1000000"],
    ...pipeArgs,
  ];
}

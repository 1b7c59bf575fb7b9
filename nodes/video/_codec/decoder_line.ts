import type { EncodedFrame } from "../../../core/frames/encoded_frame.ts";
import { type PixelFormat, VideoFrame } from "../../../core/frames/video_frame.ts";
import { pixelFormatNames } from "../../io/ffmpeg/decode_args.ts";
import { NutReader } from "../../io/ffmpeg/nut_reader.ts";
import { NutWriter } from "../../io/ffmpeg/nut_writer.ts";
import { inputArgs, type Line, OFFSET_US, outputArgs } from "../_filter/line.ts";
import type { ToolParser } from "../_filter/tool_run.ts";
import { owned } from "../_filter/video_line.ts";
import { type VideoCodecName, videoCodecs } from "./codecs.ts";

/** Packets of which something is remembered at most: more than any decoder holds back. */
const MOST = 1024;

/** Times that are written are later by this, in µs: a packet may be shown before the first one. */
const EARLIER_US = 1e7;

/** Packets of one stream to pictures. */
export class DecoderLine implements Line<EncodedFrame, VideoFrame> {
  readonly args: readonly string[];
  readonly parser: ToolParser<VideoFrame>;
  readonly #first: EncodedFrame;
  readonly #nut: NutWriter;
  readonly #packets = new Map<number, EncodedFrame>();
  #lastKeyUs = -Infinity;

  constructor(
    first: EncodedFrame,
    { format, rate }: { format: PixelFormat; rate: readonly string[] },
  ) {
    this.#first = first;
    this.args = [
      ...["-xerror", "-threads", "1", "-flags", "low_delay", ...inputArgs],
      ...["-map", "0:v", "-c:v", "rawvideo", "-pix_fmt", pixelFormatNames[format]],
      ...[...rate, "-enc_time_base:v", "1:1000000"],
      ...outputArgs,
    ];
    this.#nut = new NutWriter([{
      kind: "video",
      fourcc: videoCodecs[first.codec as VideoCodecName].fourcc,
      timeBase: { num: 1, den: 1_000_000 },
      shape: [16, 16], // what the packets say counts
    }]);
    const nut = new NutReader();
    this.parser = {
      get isInside() {
        return nut.isInside;
      },
      push: (piece) =>
        nut.push(piece).map(({ stream, data, timestampUs }) => {
          const timestamp = Math.round(timestampUs - OFFSET_US - EARLIER_US) + first.timestamp;
          const packet = this.#packets.get(timestamp);
          this.#packets.delete(timestamp);
          return new VideoFrame({
            data: owned(data),
            format,
            codedWidth: stream.width,
            codedHeight: stream.height,
            timestamp,
            duration: packet?.duration,
            metadata: packet?.metadata,
          });
        }),
    };
  }

  header(): Uint8Array {
    return this.#nut.header();
  }

  /** Packets may be shown in another order than they come, but key frames follow each other. */
  accepts({ codec, type, timestamp }: EncodedFrame): boolean {
    return codec === this.#first.codec && (type !== "key" || timestamp > this.#lastKeyUs) &&
      timestamp > this.#first.timestamp - EARLIER_US;
  }

  pieces(packet: EncodedFrame): Uint8Array[] {
    const { type, timestamp, data } = packet;
    if (type === "key") this.#lastKeyUs = timestamp;
    this.#packets.set(timestamp, packet);
    if (this.#packets.size > MOST) this.#packets.delete(this.#packets.keys().next().value!);
    const time = timestamp - this.#first.timestamp + EARLIER_US;
    return [this.#nut.frameHeader(0, time, data.length), data];
  }
}

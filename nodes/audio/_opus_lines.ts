import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import { NutReader } from "../io/ffmpeg/nut_reader.ts";
import { NutWriter } from "../io/ffmpeg/nut_writer.ts";
import { inputArgs, type Line, OFFSET_US, outputArgs } from "../video/_filter/line.ts";
import { Origins } from "../video/_filter/origins.ts";
import type { ToolParser } from "../video/_filter/tool_run.ts";
import { AudioLine, AudioParser } from "./_audio_line.ts";

/** How Opus is encoded. */
export interface OpusSettings {
  /** Bits a second. */
  bitrate: number;
  /** Length of a packet, in ms. */
  packetMs: number;
  /** What it is for. */
  application: "voip" | "audio" | "lowdelay";
}

/** Audio of one format to Opus packets. */
export class OpusEncoderLine implements Line<AudioFrame, EncodedFrame> {
  readonly args: readonly string[];
  readonly parser: ToolParser<EncodedFrame>;
  readonly #audio: AudioLine;
  readonly #origins = new Origins();

  constructor(first: AudioFrame, { bitrate, packetMs, application }: OpusSettings) {
    this.#audio = new AudioLine(first, "anull");
    this.args = [
      ...[...inputArgs, "-map", "0:a", "-c:a", "libopus", "-b:a", String(bitrate)],
      ...["-frame_duration", String(packetMs), "-application", application],
      ...outputArgs,
    ];
    const nut = new NutReader();
    const origins = this.#origins;
    this.parser = {
      get isInside() {
        return nut.isInside;
      },
      push: (piece) =>
        nut.push(piece).map(({ data, timestampUs }) => {
          const timestamp = Math.round(timestampUs - OFFSET_US) + first.timestamp;
          const { metadata } = origins.at(timestamp);
          const duration = packetMs * 1000;
          return new EncodedFrame({
            data: data.slice(),
            codec: "opus",
            timestamp,
            duration,
            metadata,
          });
        }),
    };
  }

  header(): Uint8Array {
    return this.#audio.header();
  }

  accepts(frame: AudioFrame): boolean {
    return this.#audio.accepts(frame);
  }

  pieces(frame: AudioFrame): Uint8Array[] {
    this.#origins.add({ timestamp: frame.timestamp, metadata: frame.metadata });
    return this.#audio.pieces(frame);
  }
}

/** Opus packets to audio at 48 kHz. */
export class OpusDecoderLine implements Line<EncodedFrame, AudioFrame> {
  readonly args: readonly string[] = [
    ...["-xerror", ...inputArgs, "-map", "0:a", "-c:a", "pcm_f32le", ...outputArgs],
  ];
  readonly parser: ToolParser<AudioFrame>;
  readonly #first: EncodedFrame;
  readonly #nut: NutWriter;
  readonly #origins = new Origins();
  #lastUs = -Infinity;

  constructor(first: EncodedFrame, channels: number) {
    this.#first = first;
    this.#nut = new NutWriter([{
      kind: "audio",
      fourcc: "Opus",
      timeBase: { num: 1, den: 1_000_000 },
      shape: [48_000, channels],
    }]);
    this.parser = new AudioParser(first.timestamp, this.#origins);
  }

  header(): Uint8Array {
    return this.#nut.header();
  }

  accepts({ timestamp }: EncodedFrame): boolean {
    return timestamp > this.#lastUs;
  }

  pieces({ timestamp, metadata, data }: EncodedFrame): Uint8Array[] {
    this.#lastUs = timestamp;
    this.#origins.add({ timestamp, metadata });
    return [this.#nut.frameHeader(0, timestamp - this.#first.timestamp, data.length), data];
  }
}

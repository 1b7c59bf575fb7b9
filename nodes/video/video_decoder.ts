import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import { type PixelFormat, pixelFormats, type VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { videoCodecs } from "./_codec/codecs.ts";
import { DecoderLine } from "./_codec/decoder_line.ts";
import { FilterStream } from "./_filter/filter_stream.ts";
import { everyPictureArgs } from "./_filter/rate.ts";

const schema = z.strictObject({
  format: z.enum(pixelFormats).default("I420").describe("Pixel format of what is given"),
});

/** Options of {@linkcode VideoDecoder}. */
export interface VideoDecoderOptions {
  /** Pixel format of what is given. @default "I420" */
  format: PixelFormat;
}

/**
 * Decodes packets of H.264 and HEVC (Annex B), VP8, VP9, AV1 and Motion JPEG, one picture's in each `EncodedFrame`,
 * by ffmpeg: pictures in the order of their times, each with the time, duration and metadata of its packet.
 *
 * A stream must begin with a key frame. Packets come in the order in which they are decoded; where pictures are
 * encoded from later ones the decoder holds some back. All pictures have the size of the first: later ones
 * of another size are scaled. Another codec, or a key frame that is earlier than the last one, begins anew. A packet
 * that is broken fails with a `MediaError`. Throws a `TypeError` on another codec. An interrupt drops what is
 * inside; after it, a key frame must come.
 *
 * At most 8 pictures wait here beside those of one piece of the pipe and what the decoder itself holds.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoDecoder, VideoEncoder } from "@remotemedia/sdk/nodes";
 *
 * const white = new VideoFrame({
 *   data: new Uint8Array(1024).fill(255), format: "RGBA", codedWidth: 16, codedHeight: 16, timestamp: 40_000,
 * });
 * const seen = ReadableStream.from([white])
 *   .pipeThrough(new VideoEncoder({ codec: "vp9" }))
 *   .pipeThrough(new VideoDecoder({ format: "RGBA" }));
 * for await (const { timestamp, codedWidth } of seen) console.log(timestamp, codedWidth); // 40000 16
 * ```
 */
export class VideoDecoder extends Node<EncodedFrame, VideoFrame, VideoDecoderOptions> {
  /** The name of the type. */
  static override readonly type = "VideoDecoder";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #stream: FilterStream<EncodedFrame, VideoFrame> | undefined;
  #codec: string | undefined;

  /** Makes ready; ffmpeg starts with the first packet. */
  override async open(context: NodeContext): Promise<void> {
    const { format } = this.options;
    const rate = await everyPictureArgs();
    const action = `decode video in ${context.name}`;
    const begin = (first: EncodedFrame) => new DecoderLine(first, { format, rate });
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives the pictures that are ready. */
  process(packet: EncodedFrame): AsyncGenerator<VideoFrame> {
    if (!(packet instanceof EncodedFrame)) throw wrongInput(this.type, "a packet", packet);
    const action = `take packet in ${this.type}`;
    const { codec, type, data } = packet;
    if (!Object.hasOwn(videoCodecs, codec)) {
      const rule = `its codec must be one of ${Object.keys(videoCodecs).join(", ")}`;
      throw new TypeError(cannot(action, { rule, value: codec }));
    }
    if (data.length === 0) {
      throw new RangeError(cannot(action, { rule: "it must hold a byte", value: "0 bytes" }));
    }
    if (codec !== this.#codec && type !== "key") {
      throw new RangeError(
        cannot(action, { rule: "the first one must be a key frame", value: type }),
      );
    }
    this.#codec = codec;
    return this.#stream!.push(packet);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<VideoFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives the rest. */
  override flush(): AsyncGenerator<VideoFrame> {
    return this.#stream!.end();
  }

  /** Drops what is inside. */
  override onInterrupt(): void {
    this.#codec = undefined;
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#stream?.close();
  }
}

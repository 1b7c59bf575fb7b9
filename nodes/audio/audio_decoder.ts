import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { FilterStream } from "../video/_filter/filter_stream.ts";
import { OpusDecoderLine } from "./_opus_lines.ts";

const schema = z.strictObject({
  channels: z.int().min(1).max(2).optional().describe("Channels of what is given"),
});

/** Options of {@linkcode AudioDecoder}. */
export interface AudioDecoderOptions {
  /** Channels of what is given, 1 or 2. @default those of the first packet */
  channels?: number;
}

/**
 * Decodes Opus packets (RFC 6716), one in each `EncodedFrame`, by ffmpeg: audio at 48 kHz with the times of the packets,
 * and their metadata.
 *
 * What {@linkcode AudioEncoder} made starts with the encoder's look-ahead of 6.5 ms, which is decoded too: sounds have
 * the times that they had. A packet that is missing leaves a gap; one that is broken fails with a `MediaError`; times
 * that do not rise start anew. Throws a `TypeError` on another codec. An interrupt drops what is inside. At most 8
 * frames wait here, beside those of one piece of the pipe.
 *
 * @example
 * ```ts
 * import { AudioDecoder, AudioEncoder } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const heard = ReadableStream.from(sine({ seconds: 0.1 }))
 *   .pipeThrough(new AudioEncoder())
 *   .pipeThrough(new AudioDecoder());
 * for await (const { sampleRate } of heard) console.log(sampleRate); // 48000
 * ```
 */
export class AudioDecoder extends Node<EncodedFrame, AudioFrame, AudioDecoderOptions> {
  /** The name of the type. */
  static override readonly type = "AudioDecoder";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #stream: FilterStream<EncodedFrame, AudioFrame> | undefined;

  /** Makes ready; ffmpeg starts with the first packet. */
  override open(context: NodeContext): void {
    const action = `decode audio in ${context.name}`;
    const begin = (first: EncodedFrame) =>
      new OpusDecoderLine(first, this.options.channels ?? channelsOf(first));
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives the audio that is ready. */
  process(packet: EncodedFrame): AsyncGenerator<AudioFrame> {
    if (!(packet instanceof EncodedFrame)) throw wrongInput(this.type, "a packet", packet);
    const action = `take packet in ${this.type}`;
    if (packet.codec !== "opus") {
      throw new TypeError(cannot(action, { rule: "its codec must be opus", value: packet.codec }));
    }
    if (packet.data.length === 0) {
      throw new RangeError(cannot(action, { rule: "it must hold a byte", value: "0 bytes" }));
    }
    return this.#stream!.push(packet);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<AudioFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives the rest. */
  override flush(): AsyncGenerator<AudioFrame> {
    return this.#stream!.end();
  }

  /** Drops what is inside. */
  override onInterrupt(): void {
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#stream?.close();
  }
}

/** RFC 6716, 3.1: a bit of the first byte tells stereo. */
function channelsOf({ data }: EncodedFrame): number {
  return (data[0]! & 4) === 0 ? 1 : 2;
}

import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { FilterStream } from "../video/_filter/filter_stream.ts";
import { requireFiniteAudio } from "./_frames.ts";
import { OpusEncoderLine } from "./_opus_lines.ts";

const packetLengths = [2.5, 5, 10, 20, 40, 60] as const;

const schema = z.strictObject({
  codec: z.literal("opus").default("opus").describe("The codec"),
  bitrate: z.int().min(6000).max(510_000).default(64_000).describe("Bits a second"),
  packetMs: z.literal(packetLengths).default(20).describe("Length of a packet, in ms"),
  application: z.enum(["voip", "audio", "lowdelay"]).default("audio").describe("What it is for"),
});

/** Options of {@linkcode AudioEncoder}. */
export interface AudioEncoderOptions {
  /** The codec. @default "opus" */
  codec: "opus";
  /** Bits a second, 6000 to 510000. @default 64000 */
  bitrate: number;
  /** Length of a packet, in ms. @default 20 */
  packetMs: 2.5 | 5 | 10 | 20 | 40 | 60;
  /** What it is for: speech, music, or the least delay. @default "audio" */
  application: "voip" | "audio" | "lowdelay";
}

/**
 * Encodes mono or stereo audio of any rate to Opus packets (RFC 6716), by ffmpeg's libopus.
 *
 * Packets follow each other at `packetMs`. The first starts earlier than the audio by the encoder's look-ahead (6.5 ms;
 * 2.5 ms with `lowdelay`), so that sounds keep their times when {@linkcode AudioDecoder}, or any other, decodes them;
 * the last is filled up with silence. A packet has the metadata of the last frame that does not start after it.
 * Another format or a jump back ends the packets and begins anew. Empty frames vanish. Throws a `RangeError` for more than 2 channels
 * and for NaN. An interrupt drops what is inside. At most 8 packets wait here, beside those of one piece of the pipe.
 *
 * @example
 * ```ts
 * import { AudioEncoder } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const packets = ReadableStream.from(sine({ seconds: 0.1 })).pipeThrough(new AudioEncoder());
 * for await (const { codec, timestamp } of packets) console.log(codec, timestamp); // opus -6500, opus 13500, …
 * ```
 */
export class AudioEncoder extends Node<AudioFrame, EncodedFrame, AudioEncoderOptions> {
  /** The name of the type. */
  static override readonly type = "AudioEncoder";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #stream: FilterStream<AudioFrame, EncodedFrame> | undefined;

  /** Makes ready; ffmpeg starts with the first frame. */
  override open(context: NodeContext): void {
    const action = `encode audio in ${context.name}`;
    const begin = (first: AudioFrame) => new OpusEncoderLine(first, this.options);
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives the packets that are ready. */
  process(frame: AudioFrame): AsyncGenerator<EncodedFrame> | undefined {
    const { numberOfChannels, numberOfFrames } = requireFiniteAudio(this, frame);
    if (numberOfChannels > 2) {
      const rule = "audio must have 1 or 2 channels";
      throw new RangeError(cannot(`take frame in ${this.type}`, { rule, value: numberOfChannels }));
    }
    return numberOfFrames === 0 ? undefined : this.#stream!.push(frame);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<EncodedFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives the rest. */
  override flush(): AsyncGenerator<EncodedFrame> {
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

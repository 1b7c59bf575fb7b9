import { cannot } from "../errors.ts";
import { checkTimestamp, type FrameInit, type Metadata, noMetadata } from "./_frame.ts";

/** What an {@linkcode EncodedFrame} is made of. */
export interface EncodedFrameInit extends FrameInit {
  /** The compressed bytes of one packet. */
  data: Uint8Array;
  /** The codec, in ffmpeg's and WebCodecs' short word: `opus`, `h264`, `vp9`, … */
  codec: string;
  /** `key` if it can be decoded on its own. @default "key" */
  type?: "key" | "delta";
  /** How long it lasts, in µs. */
  duration?: number;
}

/**
 * A packet of compressed audio or video, as WebCodecs' `EncodedAudioChunk` and `EncodedVideoChunk`.
 *
 * @example
 * ```ts
 * import { EncodedFrame } from "@remotemedia/sdk";
 *
 * const packet = new EncodedFrame({ data: new Uint8Array([0xf8]), codec: "opus", timestamp: 0 });
 * console.log(packet.type); // "key"
 * ```
 */
export class EncodedFrame {
  /** Tells the kinds of frames apart. */
  readonly kind = "encoded";
  /** The compressed bytes of one packet. */
  readonly data: Uint8Array;
  /** The codec. */
  readonly codec: string;
  /** `key` if it can be decoded on its own. */
  readonly type: "key" | "delta";
  /** When it starts, in µs, a whole number. */
  readonly timestamp: number;
  /** How long it lasts, in µs; `undefined` where that is not known. */
  readonly duration: number | undefined;
  /** Whatever else travels with the packet. */
  readonly metadata: Metadata;

  /**
   * Checks and keeps what it is given; copies nothing.
   *
   * @param init the bytes and what they mean
   * @throws {TypeError} if `data` is not a `Uint8Array`, or a field is not of its type
   */
  constructor(init: EncodedFrameInit) {
    const { data, codec, type = "key", timestamp = 0, metadata = noMetadata } = init;
    const action = "create EncodedFrame";
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(cannot(action, { rule: "data must be a Uint8Array", value: data }));
    }
    if (typeof codec !== "string" || codec === "") {
      throw new TypeError(cannot(action, { rule: "codec must be a name", value: codec }));
    }
    if (type !== "key" && type !== "delta") {
      throw new TypeError(cannot(action, { rule: 'type must be "key" or "delta"', value: type }));
    }
    this.data = data;
    this.codec = codec;
    this.type = type;
    this.timestamp = checkTimestamp(action, timestamp);
    this.duration = init.duration === undefined ? undefined : checkTimestamp(action, init.duration);
    this.metadata = metadata;
  }
}

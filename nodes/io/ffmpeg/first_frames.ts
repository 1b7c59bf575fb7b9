import { MediaError } from "../../../core/errors.ts";
import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { WriteOptions } from "../write_options.ts";
import type { FirstFrames } from "./frame_nut.ts";

/** How long the kind of frame that has not come yet is waited for, in µs of what has come. */
const WAIT_US = 1_000_000;

/** How many bytes of frames are held meanwhile. */
const MAX_HELD_BYTES = 67_108_864;

type Wish = "wanted" | "allowed" | "unwanted";

/**
 * Holds frames until it is known of which kinds there are: a file's streams are fixed at its start. Holds a
 * second of them; where both kinds are asked for, as long as it takes, up to 64 MiB.
 */
export class FirstFramesGate {
  readonly #action: string;
  readonly #wishes: Readonly<Record<"audio" | "video", Wish>>;
  readonly #first: FirstFrames = {};
  #held: (AudioFrame | VideoFrame)[] = [];
  #bytes = 0;
  #soundUs = 0;

  constructor(
    { audio, video }: WriteOptions,
    { action, isAudioOnly }: { action: string; isAudioOnly: boolean },
  ) {
    const wish = (option: unknown, other: Wish): Wish =>
      option === false ? "unwanted" : option === undefined ? other : "wanted";
    this.#action = action;
    this.#wishes = {
      audio: wish(audio, "allowed"),
      video: wish(video, isAudioOnly ? "unwanted" : "allowed"),
    };
  }

  /** Takes a frame; gives the first ones once they are known. */
  push(frame: AudioFrame | VideoFrame): FirstFrames | undefined {
    if (frame.kind === "audio") this.#first.audio ??= frame;
    else this.#first.video ??= frame;
    this.#held.push(frame);
    this.#bytes += frame.data.byteLength;
    const missing = (["audio", "video"] as const).filter((other) =>
      this.#first[other] === undefined && this.#wishes[other] !== "unwanted"
    );
    if (missing.length === 0) return this.#first;
    const isWaitedFor = this.#wishes[missing[0]!] === "wanted";
    if (isWaitedFor && this.#bytes > MAX_HELD_BYTES) throw this.#missing(missing[0]!);
    if (frame.kind === "audio") this.#soundUs += frame.duration;
    // frames need not have timestamps
    const heldUs = Math.max(frame.timestamp - this.#held[0]!.timestamp, this.#soundUs);
    const isPatient = heldUs < WAIT_US && this.#bytes <= MAX_HELD_BYTES;
    return isWaitedFor || isPatient ? undefined : this.#first;
  }

  /** The first ones, when nothing more comes; `undefined` if nothing came. */
  end(): FirstFrames | undefined {
    for (const kind of ["audio", "video"] as const) {
      if (this.#wishes[kind] === "wanted" && this.#held.length > 0 && !this.#first[kind]) {
        throw this.#missing(kind);
      }
    }
    return this.#held.length === 0 ? undefined : this.#first;
  }

  /** What was held, in order. */
  take(): (AudioFrame | VideoFrame)[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #missing(kind: "audio" | "video"): MediaError {
    const other = kind === "audio" ? "video" : "audio";
    return new MediaError(
      `Cannot ${this.#action} as no ${kind} came with the ${other}, though it was asked for`,
    );
  }
}

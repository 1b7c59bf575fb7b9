import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";

const schema = z.strictObject({
  audioDelayMs: z.number().min(-60_000).max(60_000).default(0)
    .describe("What is added to the times of audio, in ms"),
  maxWaitMs: z.number().min(0).max(60_000).default(500)
    .describe("How far one kind may be ahead before the other is not waited for, in ms"),
  late: z.enum(["drop", "pass"]).default("drop")
    .describe("What becomes of a frame that comes after its turn"),
  maxBytes: z.int().min(1).default(2 ** 29).describe("The most that is held, in bytes"),
});

/** Options of {@linkcode AudioVideoSync}. */
export interface AudioVideoSyncOptions {
  /** What is added to the times of audio, in ms: above 0 it is heard later. @default 0 */
  audioDelayMs: number;
  /** How far one kind may be ahead, in ms of media, before the other is not waited for. @default 500 */
  maxWaitMs: number;
  /** What becomes of a frame that comes after its turn. @default "drop" */
  late: "drop" | "pass";
  /** The most that is held, in bytes of samples and pixels: above it nothing is waited for. @default 512 MiB */
  maxBytes: number;
}

type AvFrame = AudioFrame | VideoFrame;

/**
 * Brings audio and video into step: frames of both come in as they arrive, and go out ordered by their
 * timestamps, audio first where they are equal. Each kind must be in order itself.
 *
 * A frame waits until the other kind has come as far, so the delay is how much later the later kind arrives. If
 * that is more than `maxWaitMs` of media (it ended, or it is stuck), frames go out without it; what of it comes
 * after its turn is dropped, or passed on as it is. What is held is at most `maxWaitMs` of media, and `maxBytes`.
 * Markers do not wait. An interrupt drops what is held.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { AudioVideoSync } from "@remotemedia/sdk/nodes";
 * import { silence } from "@remotemedia/sdk/testing";
 *
 * const picture = new VideoFrame({ data: new Uint8Array(4), format: "RGBA", codedWidth: 1, codedHeight: 1, timestamp: 30_000 });
 * const inStep = ReadableStream.from([picture, ...silence({ seconds: 0.06 })]).pipeThrough(new AudioVideoSync());
 * for await (const { kind, timestamp } of inStep) console.log(kind, timestamp); // audio 0, audio 20000, video 30000, audio 40000
 * ```
 */
export class AudioVideoSync
  extends Node<AudioFrame | VideoFrame, AudioFrame | VideoFrame, AudioVideoSyncOptions> {
  /** The name of the type. */
  static override readonly type = "AudioVideoSync";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #audio: AudioFrame[] = [];
  #video: VideoFrame[] = [];
  #bytes = 0;
  #newest = { audio: -Infinity, video: -Infinity };
  /** When the frame that went out last starts. */
  #givenUs = -Infinity;

  /** Gives all frames whose turn it is. */
  *process(input: AudioFrame | VideoFrame): Generator<AudioFrame | VideoFrame> {
    const frame = this.#take(input);
    const { timestamp, kind } = frame;
    if (timestamp < this.#newest[kind]) {
      const rule = `the timestamps of ${kind} must not fall`;
      throw new RangeError(cannot(`take frame in ${this.type}`, { rule, value: timestamp }));
    }
    this.#newest[kind] = timestamp;
    if (timestamp < this.#givenUs) {
      if (this.options.late === "pass") yield frame;
      return;
    }
    if (frame.kind === "audio") this.#audio.push(frame);
    else this.#video.push(frame);
    this.#bytes += frame.data.byteLength;
    while (this.#isNextDue()) yield this.#shift();
  }

  /** Gives what is held. */
  override *flush(): Generator<AudioFrame | VideoFrame> {
    while (this.#audio.length + this.#video.length > 0) yield this.#shift();
  }

  /** Drops what is held, and begins anew. */
  override onInterrupt(): void {
    this.#audio = [];
    this.#video = [];
    this.#bytes = 0;
    this.#newest = { audio: -Infinity, video: -Infinity };
    this.#givenUs = -Infinity;
  }

  /** The frames that are held, and how far each kind has come. */
  override snapshot(): unknown {
    return {
      audio: this.#audio.map((frame) => ({ ...frame })),
      video: this.#video.map((frame) => ({ ...frame })),
      newest: { ...this.#newest },
      givenUs: this.#givenUs,
    };
  }

  /** Goes on with them. */
  override restore(state: unknown): void {
    const { audio, video, newest, givenUs } = state as {
      audio: AudioFrame[];
      video: VideoFrame[];
      newest: { audio: number; video: number };
      givenUs: number;
    };
    this.#audio = audio.map((init) => new AudioFrame(init));
    this.#video = video.map((init) => new VideoFrame(init));
    this.#bytes = [...audio, ...video].reduce((sum, { data }) => sum + data.byteLength, 0);
    this.#newest = { ...newest };
    this.#givenUs = givenUs;
  }

  #take(frame: AvFrame): AvFrame {
    if (frame instanceof VideoFrame) return frame;
    if (!(frame instanceof AudioFrame)) {
      throw wrongInput(this.type, "an audio or video frame", frame);
    }
    const { audioDelayMs } = this.options;
    if (audioDelayMs === 0) return frame;
    return frame.with({ timestamp: frame.timestamp + audioDelayMs * 1000 });
  }

  /** Whether the earliest frame that is held waits for nothing any more. */
  #isNextDue(): boolean {
    const [audio, video] = [this.#audio[0], this.#video[0]];
    if (audio !== undefined && video !== undefined) return true;
    const first = audio ?? video;
    if (first === undefined) return false;
    const { audio: heardUs, video: seenUs } = this.#newest;
    const otherUs = first.kind === "audio" ? seenUs : heardUs;
    if (otherUs > first.timestamp || this.#bytes > this.options.maxBytes) return true;
    const aheadUs = this.#newest[first.kind] - first.timestamp;
    return aheadUs >= this.options.maxWaitMs * 1000 && aheadUs > 0;
  }

  #shift(): AvFrame {
    const [audio, video] = [this.#audio[0], this.#video[0]];
    const isAudio = audio !== undefined && !(video && video.timestamp < audio.timestamp);
    const frame = isAudio ? this.#audio.shift()! : this.#video.shift()!;
    this.#bytes -= frame.data.byteLength;
    this.#givenUs = frame.timestamp;
    return frame;
  }
}

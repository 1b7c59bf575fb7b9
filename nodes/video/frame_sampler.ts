import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import { EncodedFrame } from "../../core/frames/encoded_frame.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { SceneScores } from "./_filter/scene_scores.ts";
import { requireVideo } from "./_frames.ts";

const schema = z.strictObject({
  by: z.enum(["count", "time", "key", "scene"]).default("count").describe("What decides"),
  every: z.int().min(1).default(30).describe("With count: takes the first of so many frames"),
  seconds: z.number().positive().max(1e6).default(1)
    .describe("With time: the period of which the first frame is taken, in s"),
  threshold: z.number().min(0).max(1).default(0.3)
    .describe("With scene: score from which on a frame begins a scene"),
});

/** Options of {@linkcode FrameSampler}. */
export interface FrameSamplerOptions {
  /** What decides: every n-th, every t seconds, key frames, or those that begin a scene. @default "count" */
  by: "count" | "time" | "key" | "scene";
  /** With `count`: takes the first of so many frames. @default 30 */
  every: number;
  /** With `time`: the first frame of each period of this many s after the first frame. @default 1 */
  seconds: number;
  /** With `scene`: the score from which on a frame begins a scene, 0 to 1. @default 0.3 */
  threshold: number;
}

interface State {
  count: number;
  startUs: number | undefined;
  period: number;
  kept: readonly VideoFrame[];
}

/**
 * Takes some frames of a video: every n-th (`by: "count"`), the first of every period of media time (`"time"`), key
 * frames (`"key"`: of packets, that is `EncodedFrame`s of which the type tells it; a `VideoFrame` is always one), or
 * those that begin a scene (`"scene"`, as {@linkcode SceneDetector}, only of `VideoFrame`s). Frames are as they came.
 * A time that jumps back to before the first frame counts anew from there. Only `"scene"` needs ffmpeg.
 *
 * @example
 * ```ts
 * import { EncodedFrame } from "@remotemedia/sdk";
 * import { FrameSampler } from "@remotemedia/sdk/nodes";
 *
 * const packets = Array.from({ length: 5 }, (_, index) =>
 *   new EncodedFrame({ data: new Uint8Array(1), codec: "h264", timestamp: 400_000 * index }));
 * const some = ReadableStream.from(packets).pipeThrough(new FrameSampler({ by: "time", seconds: 1 }));
 * for await (const { timestamp } of some) console.log(timestamp); // 0, 1200000
 * ```
 */
export class FrameSampler
  extends Node<VideoFrame | EncodedFrame, VideoFrame | EncodedFrame, FrameSamplerOptions> {
  /** The name of the type. */
  static override readonly type = "FrameSampler";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #context: NodeContext | undefined;
  #scores: SceneScores | undefined;
  #count = 0;
  #startUs: number | undefined;
  #period = -1;

  /** Makes ready; ffmpeg, if it is needed, starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    this.#context = context;
    if (this.options.by === "scene") this.#scores = await SceneScores.open(context);
  }

  /** Gives the frame, if it is one of those. */
  process(
    frame: VideoFrame | EncodedFrame,
  ): VideoFrame | EncodedFrame | undefined | Promise<VideoFrame | undefined> {
    const { by, every } = this.options;
    if (by === "scene") return this.#onChange(requireVideo(this, frame));
    if (!(frame instanceof VideoFrame || frame instanceof EncodedFrame)) {
      throw wrongInput(this.type, "a video frame or a packet", frame);
    }
    if (by === "count") return this.#count++ % every === 0 ? frame : undefined;
    if (by === "time") return this.#isNext(frame.timestamp) ? frame : undefined;
    return frame instanceof VideoFrame || frame.type === "key" ? frame : undefined;
  }

  /** Begins anew. */
  override onInterrupt(): void {
    this.#scores?.drop();
    this.#count = 0;
    this.#startUs = undefined;
    this.#period = -1;
  }

  /** Where it is in its count; with `scene`, the last two frames. */
  override snapshot(): unknown {
    const kept = (this.#scores?.kept ?? []).map((frame) => ({ ...frame }));
    return { count: this.#count, startUs: this.#startUs, period: this.#period, kept };
  }

  /** Goes on from there. */
  override async restore(state: unknown): Promise<void> {
    const { count, startUs, period, kept } = state as State;
    this.#count = count;
    this.#startUs = startUs;
    this.#period = period;
    if (this.#scores === undefined) return;
    await this.#scores.close();
    this.#scores = await SceneScores.open(this.#context!, kept.map((init) => new VideoFrame(init)));
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#scores?.close();
  }

  async #onChange(frame: VideoFrame): Promise<VideoFrame | undefined> {
    const score = await this.#scores!.of(frame);
    return score !== undefined && score >= this.options.threshold ? frame : undefined;
  }

  #isNext(timestamp: number): boolean {
    if (this.#startUs === undefined || timestamp < this.#startUs) {
      this.#startUs = timestamp;
      this.#period = -1;
    }
    const period = Math.floor((timestamp - this.#startUs) / (this.options.seconds * 1e6));
    const isNext = period > this.#period;
    if (isNext) this.#period = period;
    return isNext;
  }
}

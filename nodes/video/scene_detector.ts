import { z } from "zod";
import type { OptionsSchema } from "../../core/options.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { SceneScores } from "./_filter/scene_scores.ts";
import { requireVideo } from "./_frames.ts";

const schema = z.strictObject({
  threshold: z.number().min(0).max(1).default(0.3)
    .describe("Score from which on a frame begins a scene"),
  minSceneMs: z.number().min(0).max(1e9).default(0).describe("The shortest scene, in ms"),
  emit: z.enum(["annotate", "changes"]).default("annotate")
    .describe("All frames with a note, or only the first of each scene"),
});

/** Options of {@linkcode SceneDetector}. */
export interface SceneDetectorOptions {
  /** Score from which on a frame begins a scene, 0 to 1. @default 0.3 */
  threshold: number;
  /** The shortest scene, in ms of media: changes before are not told. @default 0 */
  minSceneMs: number;
  /** All frames with a note (`annotate`), or only the first of each scene (`changes`). @default "annotate" */
  emit: "annotate" | "changes";
}

/** The note that a {@linkcode SceneDetector} makes, as `metadata.scene`. */
export interface SceneNote {
  /** How different the frame is from the ones before, 0 to 1. */
  score: number;
  /** Whether it begins a scene. */
  change: boolean;
  /** The number of its scene, from 0. */
  index: number;
}

interface State {
  index: number;
  startUs: number;
  kept: readonly VideoFrame[];
}

/**
 * Finds where scenes begin. The score is ffmpeg's `scene` (its `select` filter): by how much the mean difference of
 * pixels grows from one frame to the next. The first frame, and one of another size, format or an earlier time,
 * begins a scene with a score of 1. Notes are in `metadata.scene`, a {@linkcode SceneNote}; frames are otherwise as
 * they came, and markers keep their place. Holds two frames. The way of the pixels to ffmpeg costs more than the
 * score does, so shrink large pictures first (`VideoResizer`): see docs/speed.md.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { SceneDetector } from "@remotemedia/sdk/nodes";
 *
 * const frames = [0, 0, 255, 255].map((grey, index) =>
 *   new VideoFrame({
 *     data: new Uint8Array(32 * 32 * 4).fill(grey),
 *     format: "RGBA",
 *     codedWidth: 32,
 *     codedHeight: 32,
 *     timestamp: 40_000 * index,
 *   })
 * );
 * const cuts = ReadableStream.from(frames).pipeThrough(new SceneDetector({ emit: "changes" }));
 * for await (const { timestamp } of cuts) console.log(timestamp); // 0, 80000
 * ```
 */
export class SceneDetector extends Node<VideoFrame, VideoFrame, SceneDetectorOptions> {
  /** The name of the type. */
  static override readonly type = "SceneDetector";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #context: NodeContext | undefined;
  #scores: SceneScores | undefined;
  #index = -1;
  #startUs = -Infinity;

  /** Makes ready; ffmpeg starts with the first frame. */
  override async open(context: NodeContext): Promise<void> {
    this.#context = context;
    this.#scores = await SceneScores.open(context);
  }

  /** Gives the frame with its note, if it is wanted. */
  async process(frame: VideoFrame): Promise<VideoFrame | undefined> {
    const { timestamp, metadata } = requireVideo(this, frame);
    const { threshold, minSceneMs, emit } = this.options;
    const score = await this.#scores!.of(frame);
    if (score === undefined) return undefined;
    const lengthUs = timestamp - this.#startUs;
    const isLong = lengthUs < 0 || lengthUs >= minSceneMs * 1000;
    const change = this.#index < 0 || (score >= threshold && isLong);
    if (change) {
      this.#index++;
      this.#startUs = timestamp;
    }
    if (emit === "changes" && !change) return undefined;
    const scene: SceneNote = { score, change, index: this.#index };
    return frame.with({ metadata: { ...metadata, scene } });
  }

  /** Begins with a new first scene. */
  override onInterrupt(): void {
    this.#scores?.drop();
    this.#index = -1;
    this.#startUs = -Infinity;
  }

  /** Which scene it is, and the last two frames. */
  override snapshot(): unknown {
    const state: State = {
      index: this.#index,
      startUs: this.#startUs,
      kept: this.#scores?.kept ?? [],
    };
    return { ...state, kept: state.kept.map((frame) => ({ ...frame })) };
  }

  /** Goes on in that scene. */
  override async restore(state: unknown): Promise<void> {
    const { index, startUs, kept } = state as State;
    this.#index = index;
    this.#startUs = startUs;
    await this.#scores?.close();
    this.#scores = await SceneScores.open(this.#context!, kept.map((init) => new VideoFrame(init)));
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#scores?.close();
  }
}

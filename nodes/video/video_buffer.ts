import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { Node } from "../../core/node.ts";
import { requireVideo } from "./_frames.ts";

const schema = z.strictObject({
  frames: z.int().min(1).max(100_000).default(16).describe("Frames in a list"),
  hop: z.int().min(1).max(100_000).optional().describe("Frames from one list's start to the next"),
  partial: z.boolean().default(true).describe("Whether a shorter list is given at the end"),
  maxBytes: z.int().min(1).default(2 ** 29).describe("The most that is held, in bytes"),
});

/** Options of {@linkcode VideoBuffer}. */
export interface VideoBufferOptions {
  /** Frames in a list. @default 16 */
  frames: number;
  /** Frames from the start of one list to that of the next: fewer than `frames` overlap. @default frames */
  hop?: number;
  /** Whether a shorter list is given at the end, of frames that were in none. @default true */
  partial: boolean;
  /** The most that is held, in bytes of pixels. @default 512 MiB */
  maxBytes: number;
}

interface State {
  held: readonly VideoFrame[];
  skip: number;
  fresh: number;
}

/**
 * Collects video frames into lists of equal length, as models of motion take them; with `hop` below `frames` lists
 * overlap, above it frames between them are left out. Frames are as they came. An interrupt drops what is held.
 * Throws a `RangeError` when a list would take more than `maxBytes`.
 *
 * @example
 * ```ts
 * import { VideoFrame } from "@remotemedia/sdk";
 * import { VideoBuffer } from "@remotemedia/sdk/nodes";
 *
 * const frames = [0, 1, 2, 3].map((timestamp) =>
 *   new VideoFrame({ data: new Uint8Array(4), format: "RGBA", codedWidth: 1, codedHeight: 1, timestamp }));
 * const lists = ReadableStream.from(frames).pipeThrough(new VideoBuffer({ frames: 3, hop: 1 }));
 * for await (const list of lists) console.log(list.map((frame) => frame.timestamp)); // [0, 1, 2], [1, 2, 3]
 * ```
 */
export class VideoBuffer extends Node<VideoFrame, VideoFrame[], VideoBufferOptions> {
  /** The name of the type. */
  static override readonly type = "VideoBuffer";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  #held: VideoFrame[] = [];
  #bytes = 0;
  /** Frames that come before the next list. */
  #skip = 0;
  /** Frames at the end of `#held` that were in no list yet. */
  #fresh = 0;

  /** Gives a list when one is full. */
  process(frame: VideoFrame): VideoFrame[] | undefined {
    requireVideo(this, frame);
    const { frames, hop = frames, maxBytes } = this.options;
    if (this.#skip > 0) {
      this.#skip--;
      return undefined;
    }
    this.#bytes += frame.data.length;
    if (this.#bytes > maxBytes) {
      const rule = `the frames of a list must take at most maxBytes, ${maxBytes}`;
      throw new RangeError(cannot(`hold frame in ${this.type}`, { rule, value: this.#bytes }));
    }
    this.#held.push(frame);
    this.#fresh++;
    if (this.#held.length < frames) return undefined;
    const list = this.#held;
    this.#held = list.slice(hop);
    this.#bytes = this.#held.reduce((sum, { data }) => sum + data.length, 0);
    this.#skip = Math.max(0, hop - frames);
    this.#fresh = 0;
    return list;
  }

  /** Gives what is left. */
  override flush(): VideoFrame[] | undefined {
    return this.options.partial && this.#fresh > 0 ? this.#held : undefined;
  }

  /** Drops what is held. */
  override onInterrupt(): void {
    this.#held = [];
    this.#bytes = this.#skip = this.#fresh = 0;
  }

  /** The frames that are held. */
  override snapshot(): unknown {
    const held = this.#held.map((frame) => ({ ...frame }));
    return { held, skip: this.#skip, fresh: this.#fresh };
  }

  /** Goes on with them. */
  override restore(state: unknown): void {
    const { held, skip, fresh } = state as State;
    this.#held = held.map((init) => new VideoFrame(init));
    this.#bytes = this.#held.reduce((sum, { data }) => sum + data.length, 0);
    this.#skip = skip;
    this.#fresh = fresh;
  }
}

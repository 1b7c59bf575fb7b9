import { z, type ZodType } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { writeMedia } from "./write_media.ts";
import {
  type MediaWriteOptions,
  refineWrite,
  writeFields,
  type WriteOptions,
} from "./write_options.ts";

/** Options of {@linkcode MediaWriter}. */
export interface MediaWriterOptions extends MediaWriteOptions {
  /** A path, a `file:` URL, or `-` for the standard output. */
  output: string;
}

/** {@linkcode MediaWriterOptions} with the defaults filled in. */
export interface CheckedMediaWriterOptions extends WriteOptions {
  /** Where it writes to. */
  output: string;
}

/**
 * Writes the frames that pass through it, in a pipeline: frames in, the same frames out. The file is complete
 * at the end of the stream; where the stream fails or is cancelled, none is left. See `writeMedia()`.
 *
 * It writes files and starts processes: a server should not offer it to everybody.
 *
 * @typeParam Frame what passes through
 *
 * @example
 * ```ts
 * import { MediaWriter, Pipeline, readMedia } from "@remotemedia/sdk";
 *
 * const output = await Deno.makeTempFile({ suffix: ".wav" });
 * const pipeline = new Pipeline([new MediaWriter({ output })]);
 * const source = readMedia("tests/testdata/conversation.wav", { duration: 1 });
 * for await (const _frame of pipeline.run(source)) { /* each is in the file now *\/ }
 * console.log((await Deno.stat(output)).size); // 32044
 * await Deno.remove(output);
 * ```
 */
export class MediaWriter<Frame extends AudioFrame | VideoFrame = AudioFrame | VideoFrame>
  extends Node<Frame, Frame, CheckedMediaWriterOptions, MediaWriterOptions> {
  /** Checks and completes the options. */
  static override readonly options: ZodType<CheckedMediaWriterOptions, MediaWriterOptions> =
    refineWrite(
      z.strictObject({
        output: z.string().min(1).describe("A path, a file URL, or - for the standard output").meta(
          { examples: ["out.wav"] },
        ),
        ...writeFields,
      }),
    );

  /** Writes files, runs ffmpeg: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["write", "run"];

  /** What it takes and gives. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["audio", "video"] }, passes: true };
  }

  #writer: WritableStreamDefaultWriter<AudioFrame | VideoFrame> | undefined;
  #aborting: Promise<void> | undefined;

  /** Looks whether the output can be written. */
  override open({ signal }: NodeContext): void {
    const { output, ...options } = this.options;
    const writer = this.#writer = writeMedia(output, options).getWriter();
    writer.closed.catch(() => {}); // write() or close() tells
    signal.addEventListener("abort", () => {
      this.#aborting = writer.abort(signal.reason); // ends a write that waits; close() waits for this
      this.#aborting.catch(() => {});
    }, { once: true });
  }

  /** Writes a frame, and gives it on. */
  override async process(frame: Frame): Promise<Frame> {
    await this.#writer!.write(frame);
    return frame;
  }

  /** Completes the file. */
  override async flush(): Promise<Frame | undefined> {
    await this.#writer!.close();
    this.#writer = undefined;
    return undefined;
  }

  /** Leaves nothing behind if the file is not complete. */
  override async close(reason: unknown): Promise<void> {
    await (this.#aborting ?? this.#writer?.abort(reason));
  }
}

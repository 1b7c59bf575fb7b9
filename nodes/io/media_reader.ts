import { z, type ZodType } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import type { ChunkKind, NodeFormats } from "../../core/manifest/formats.ts";
import { Node, type NodeConfig, type NodeContext } from "../../core/node.ts";
import { ByteFeed } from "./_byte_feed.ts";
import { readMedia } from "./read_media.ts";
import { mediaFields, type MediaOptions, type ReadOptions, refineMedia } from "./read_options.ts";

/** Options of {@linkcode MediaReader}. */
export interface MediaReaderOptions extends MediaOptions {
  /** What bytes are: pieces of one file, which ends with the stream, or each a whole file. @default "stream" */
  bytes?: "stream" | "files";
}

/** {@linkcode MediaReaderOptions} with the defaults filled in. */
export interface CheckedMediaReaderOptions extends ReadOptions {
  /** What bytes are. */
  bytes: "stream" | "files";
}

/** What a reader with such options gives: audio, unless they ask for video. */
export type FramesOf<Options> = "video" extends keyof Options
  ? Options["video" & keyof Options] extends undefined ? AudioFrame
  : Options extends { audio: false } ? VideoFrame
  : AudioFrame | VideoFrame
  : AudioFrame;

/** Media that is being read. */
interface Reading {
  frames: ReadableStreamDefaultReader<AudioFrame | VideoFrame>;
  /** Where its bytes go, if they come in pieces. */
  feed?: ByteFeed;
  /** The frame that is waited for. */
  next?: Promise<ReadableStreamReadResult<AudioFrame | VideoFrame>>;
}

/**
 * Reads media as frames, in a pipeline: `string | URL | Uint8Array` in, frames out. A text or URL is where
 * media is; bytes are media. Each text gives all frames of its media, of which the timestamps begin anew. See
 * `readMedia()` for formats and timestamps.
 *
 * It opens files, connections and processes: a server should not offer it to everybody.
 *
 * @typeParam Options its options, which say whether it gives audio, video or both
 *
 * @example
 * ```ts
 * import { MediaReader, Pipeline } from "@remotemedia/sdk";
 *
 * const pipeline = new Pipeline([new MediaReader({ frameMs: 100, duration: 1 })]);
 * const frames = await Array.fromAsync(pipeline.run(["tests/testdata/conversation.wav"]));
 * console.log(frames.length); // 10
 * ```
 */
export class MediaReader<const Options extends MediaReaderOptions = Record<never, never>>
  extends Node<
    string | URL | Uint8Array,
    FramesOf<Options>,
    CheckedMediaReaderOptions,
    MediaReaderOptions
  > {
  /** Checks and completes the options. */
  static override readonly options: ZodType<CheckedMediaReaderOptions, MediaReaderOptions> =
    refineMedia(
      z.strictObject({
        ...mediaFields,
        bytes: z.enum(["stream", "files"]).default("stream").describe(
          "What bytes are: pieces of one file, which ends with the stream, or each a whole file",
        ),
      }),
    );

  /** Reads files and URLs, runs ffmpeg: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["read", "net", "run"];

  /** What it takes and gives with these options. */
  static formats({ audio, video, sampleRate, channels }: CheckedMediaReaderOptions): NodeFormats {
    const kinds: ChunkKind[] = [];
    if (audio !== false) kinds.push("audio");
    if (video !== undefined) kinds.push("video");
    return { accepts: { kinds: ["text", "bytes"] }, gives: { kinds, sampleRate, channels } };
  }

  /**
   * Nothing is opened yet.
   *
   * @param options what to read, and how it is to come
   * @param config what is the same for all nodes
   * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
   */
  constructor(
    options?: Options & { [Unknown in Exclude<keyof Options, keyof MediaReaderOptions>]: never },
    config?: NodeConfig,
  ) {
    super(options, config);
  }

  #signal: AbortSignal | undefined;
  #reading: Reading | undefined;

  /** Keeps the signal that ends what is being read. */
  override open({ signal }: NodeContext): void {
    this.#signal = signal;
  }

  /** Gives the frames of a path or URL, or those that come of the bytes so far. */
  override async *process(
    input: string | URL | Uint8Array,
  ): AsyncGenerator<FramesOf<Options>, void, undefined> {
    if (typeof input !== "string" && !(input instanceof URL) && !(input instanceof Uint8Array)) {
      const rule = "its input must be a path, a URL or bytes";
      throw new TypeError(cannot("read media", { rule, value: input }));
    }
    if (input instanceof Uint8Array && this.options.bytes === "stream") {
      yield* this.#take(input);
    } else {
      yield* this.#rest(); // of bytes that came before
      this.#reading = { frames: this.#read(input) };
      yield* this.#rest();
    }
  }

  /** Gives the frames that are left of the bytes. */
  override flush(): AsyncGenerator<FramesOf<Options>, void, undefined> {
    return this.#rest();
  }

  /** Ends what is being read. */
  override async close(reason: unknown): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.frames.cancel(reason);
  }

  /** Ends what is being read. */
  override onInterrupt(): void {
    void this.close(undefined).catch(() => {}); // what it was reading is not wanted any more
  }

  #read(input: string | URL | Uint8Array | ReadableStream<Uint8Array>): Reading["frames"] {
    const { bytes: _bytes, ...options } = this.options;
    return readMedia(input, { ...options, signal: this.#signal }).getReader();
  }

  /** Gives the frames that come while a piece is used up. */
  async *#take(piece: Uint8Array): AsyncGenerator<FramesOf<Options>, void, undefined> {
    if (this.#reading === undefined) {
      const feed = new ByteFeed();
      this.#reading = { feed, frames: this.#read(feed.readable) };
    }
    const reading = this.#reading;
    const isUsedUp = reading.feed!.put(piece).then(() => undefined);
    while (true) {
      reading.next ??= reading.frames.read();
      const result = await Promise.race([reading.next, isUsedUp]);
      if (result === undefined || result.done) return;
      reading.next = undefined;
      yield result.value as FramesOf<Options>;
    }
  }

  /** Gives all that is left of what is being read. */
  async *#rest(): AsyncGenerator<FramesOf<Options>, void, undefined> {
    const reading = this.#reading;
    if (reading === undefined) return;
    reading.feed?.end();
    while (true) {
      const { done, value } = await (reading.next ?? reading.frames.read());
      reading.next = undefined;
      if (done) break;
      yield value as FramesOf<Options>;
    }
    if (this.#reading === reading) this.#reading = undefined;
  }
}

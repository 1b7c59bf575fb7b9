import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import { AudioFrame, MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import type { Marker } from "../../core/frames/marker.ts";
import { Node, type NodeContext, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireAudio, trackOf } from "./_frames.ts";
import { mix } from "./_mix.ts";
import type { TrackBlock, TrackBlocksState } from "./_track_blocks.ts";
import { TrackInput } from "./_track_input.ts";

/** Options of {@linkcode AudioChannelMerger}. */
export interface AudioChannelMergerOptions {
  /** The name of the track of each channel that goes out, 1 to 32. */
  tracks: string[];
  /** How long frames that go out are, in ms. @default 20 */
  frameMs: number;
  /** How far one track may be ahead of another before it goes on without that one, in ms. @default 200 */
  maxWaitMs: number;
}

const schema = z.strictObject({
  tracks: z.array(z.string().min(1)).min(1).max(MAX_CHANNELS)
    .describe("The name of the track of each channel that goes out").meta({
      examples: [["left", "right"]],
    }),
  frameMs: z.number().min(1).max(1000).default(20)
    .describe("How long frames that go out are, in ms"),
  maxWaitMs: z.number().min(0).max(60_000).default(200)
    .describe("How far one track may be ahead of another before it goes on without that, in ms"),
}).refine(({ tracks }) => new Set(tracks).size === tracks.length, {
  path: ["tracks"],
  error: "each track must be named once",
});

/**
 * Puts mono tracks together as the channels of one stream, to the sample by their timestamps: the inverse of
 * `AudioChannelSplitter`. Tracks are told apart by `metadata.track`; one of several channels counts with its mean.
 *
 * A channel whose track is silent, late by more than `maxWaitMs`, or has ended (marker `track-end` with
 * `data: { track }`) is filled with silence; where no track has sound, no frame goes out. It holds at most `maxWaitMs`
 * and the longest frame. What comes later, or overlaps what came before of its track, is left out and
 * logged. A track that is not named, or another rate than the first frame's, fails the stream; NaN stays NaN.
 *
 * @example
 * ```ts
 * import { AudioChannelMerger } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const left = sine({ seconds: 0.04, metadata: { track: "left" } });
 * const right = sine({ seconds: 0.04, metadata: { track: "right" } });
 * const merger = new AudioChannelMerger({ tracks: ["left", "right"] });
 * for await (const frame of ReadableStream.from([...left, ...right]).pipeThrough(merger)) {
 *   console.log(frame.numberOfChannels, frame.numberOfFrames); // 2 320
 * }
 * ```
 */
export class AudioChannelMerger extends Node<
  AudioFrame,
  AudioFrame,
  AudioChannelMergerOptions,
  Partial<AudioChannelMergerOptions> & Pick<AudioChannelMergerOptions, "tracks">
> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  readonly #input = new TrackInput(this.type, {
    ...this.options,
    tracks: this.options.tracks.length,
    fillMs: 0,
  });

  /** Keeps the log. */
  override open({ log }: NodeContext): void {
    this.#input.log = log;
  }

  /** Takes a frame of a track; gives what is complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    const track = trackOf(this, frame);
    const at = this.options.tracks.indexOf(track);
    if (at < 0) {
      const rule = `metadata.track must be one of ${this.options.tracks.join(", ")}`;
      throw new RangeError(cannot("merge channels", { rule, value: track }));
    }
    if (frame.numberOfFrames === 0) return;
    const blocks = this.#input.open(frame.sampleRate, this.options.tracks.length);
    const data = mix(frame.data, frame.numberOfChannels, 1);
    this.#input.add(frame, { track, timestamp: frame.timestamp, data, channels: 1, at });
    const limit = blocks.complete();
    const first = blocks.take(limit);
    return first === undefined ? undefined : this.#rest(first, limit);
  }

  /** Acts on a marker `track-end`. */
  override onMarker(marker: Marker): void {
    this.#input.mark(marker);
  }

  /** Gives what is left. */
  override *flush(): Generator<AudioFrame> {
    for (let block; (block = this.#input.blocks?.takeLast()) !== undefined;) {
      yield this.#frame(block);
    }
  }

  /** Forgets all tracks. */
  override onInterrupt(): void {
    this.#input.reset();
  }

  /** What is not yet given. */
  override snapshot(): unknown {
    return this.#input.snapshot();
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.#input.restore(state as TrackBlocksState | null);
  }

  *#rest(first: TrackBlock, limit: number): Generator<AudioFrame> {
    yield this.#frame(first);
    for (let block; (block = this.#input.blocks?.take(limit)) !== undefined;) {
      yield this.#frame(block);
    }
  }

  #frame({ data, timestamp }: TrackBlock): AudioFrame {
    const { sampleRate, channels: numberOfChannels } = this.#input.blocks!.format;
    return new AudioFrame({ data, sampleRate, numberOfChannels, timestamp });
  }
}

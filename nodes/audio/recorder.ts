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

/** Options of {@linkcode Recorder}. */
export interface RecorderOptions {
  /** The names of the tracks, 1 to 32. */
  tracks: string[];
  /** A channel for each track, or the sum of all in one. @default "channels" */
  layout: "channels" | "mix";
  /** What tells when a frame is heard: its timestamp, or when it comes. @default "timestamp" */
  clock: "timestamp" | "arrival";
  /** How long frames that go out are, in ms. @default 20 */
  frameMs: number;
  /** How long it waits for a track that is behind, in ms. @default 500 */
  maxWaitMs: number;
  /** By the clock `arrival`: how far a track may be ahead of now, in ms. @default 60000 */
  maxAheadMs: number;
  /** Gaps in all tracks up to this are filled with silence, in ms; longer ones are left out. @default 600000 */
  maxGapMs: number;
}

const schema = z.strictObject({
  tracks: z.array(z.string().min(1)).min(1).max(MAX_CHANNELS).describe("The names of the tracks")
    .meta({ examples: [["me", "them"]] }),
  layout: z.enum(["channels", "mix"]).default("channels")
    .describe("A channel for each track, or the sum of all in one"),
  clock: z.enum(["timestamp", "arrival"]).default("timestamp")
    .describe("What tells when a frame is heard: its timestamp, or when it comes"),
  frameMs: z.number().min(1).max(1000).default(20)
    .describe("How long frames that go out are, in ms"),
  maxWaitMs: z.number().min(0).max(60_000).default(500)
    .describe("How long it waits for a track that is behind, in ms"),
  maxAheadMs: z.number().min(1).max(600_000).default(60_000)
    .describe("By the clock arrival: how far a track may be ahead of now, in ms"),
  maxGapMs: z.number().min(1).max(86_400_000).default(600_000)
    .describe("Gaps in all tracks up to this are filled with silence, in ms"),
}).refine(({ tracks }) => new Set(tracks).size === tracks.length, {
  path: ["tracks"],
  error: "each track must be named once",
});

/** By the clock `arrival`, a frame that comes less than this after its track's end goes on there, in µs. */
const JITTER_US = 100_000;

/** State of {@linkcode Recorder}, structured-clonable. */
interface RecorderState {
  blocks: TrackBlocksState | null;
  /** What `arrival` counts from: now, in µs, at the time of the snapshot. */
  now: number | null;
}

/**
 * Records tracks in step: all start together, gaps are silence, and what goes out is one unbroken stream with a
 * channel for each track (or their sum), ready to be written to a file. For example what a user said and what
 * a bot answered. Tracks are told apart by `metadata.track`; one of several channels counts with its mean.
 *
 * By the clock `timestamp` a frame is where its timestamp says. By `arrival` it is where it came, or right after
 * what came before of its track: for speech that is made faster than it is spoken, or has no times that
 * fit; timestamps that go out count from the first frame's. A frame goes out when all tracks are past it, or `maxWaitMs`
 * later; by `arrival`, once its time is over, so it holds `maxAheadMs` and the longest frame at the most.
 *
 * A gap in all tracks of more than `maxGapMs` is left out: the next frame has the time after it. What comes
 * later than `maxWaitMs`, or overlaps what came before of its track, is left out and logged. An interrupt
 * changes nothing: what was recorded was heard. A track that is not named, another rate than that of the first
 * frame, or a track further ahead than `maxAheadMs` fails the stream; NaN stays NaN.
 *
 * @example
 * ```ts
 * import { Recorder } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const user = sine({ seconds: 0.1, metadata: { track: "user" } });
 * const bot = sine({ seconds: 0.1, timestamp: 300_000, metadata: { track: "bot" } });
 * const recorder = new Recorder({ tracks: ["user", "bot"] });
 * const frames = await Array.fromAsync(ReadableStream.from([...user, ...bot]).pipeThrough(recorder));
 * console.log(frames.length, frames[0]!.numberOfChannels); // 20 2: 400 ms without a gap
 * ```
 */
export class Recorder extends Node<
  AudioFrame,
  AudioFrame,
  RecorderOptions,
  Partial<RecorderOptions> & Pick<RecorderOptions, "tracks">
> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  readonly #input = new TrackInput(this.type, {
    ...this.options,
    tracks: this.options.tracks.length,
    fillMs: this.options.maxGapMs,
  });
  /** What the clock showed at 0 µs, in µs. */
  #zero: number | undefined;

  /** Keeps the log. */
  override open({ log }: NodeContext): void {
    this.#input.log = log;
  }

  /** Takes a frame of a track; gives what is complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    const { tracks, layout } = this.options;
    const track = trackOf(this, frame);
    const index = tracks.indexOf(track);
    if (index < 0) {
      const rule = `metadata.track must be one of ${tracks.join(", ")}`;
      throw new RangeError(cannot("record", { rule, value: track }));
    }
    if (frame.numberOfFrames === 0) return;
    const isMixed = layout === "mix";
    const blocks = this.#input.open(frame.sampleRate, isMixed ? 1 : tracks.length);
    const data = mix(frame.data, frame.numberOfChannels, 1);
    const timestamp = this.#timeOf(frame, track);
    this.#input.add(frame, { track, timestamp, data, channels: 1, at: isMixed ? 0 : index });
    const limit = this.#zero === undefined ? blocks.complete() : this.#over(track);
    const first = blocks.take(limit);
    return first === undefined ? undefined : this.#rest(first, limit);
  }

  /** Acts on a marker `track-end`: the track is not waited for. */
  override onMarker(marker: Marker): void {
    this.#input.mark(marker);
  }

  /** Gives what is left. */
  override *flush(): Generator<AudioFrame> {
    for (let block; (block = this.#input.blocks?.takeLast()) !== undefined;) {
      yield this.#frame(block);
    }
  }

  /** What is not yet given. */
  override snapshot(): unknown {
    const now = this.#zero === undefined ? null : this.#now(this.#zero);
    return { blocks: this.#input.snapshot(), now } satisfies RecorderState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { blocks, now } = state as RecorderState;
    this.#input.restore(blocks);
    this.#zero = now === null ? undefined : performance.now() * 1000 - now;
  }

  /** When the frame is heard, in µs. */
  #timeOf({ timestamp }: AudioFrame, track: string): number {
    if (this.options.clock === "timestamp") return timestamp;
    this.#zero ??= performance.now() * 1000 - timestamp;
    const now = this.#now(this.#zero);
    const end = this.#input.blocks!.endOf(track);
    return now < end + JITTER_US ? end : now;
  }

  /** Up to where the clock `arrival` has all frames, in samples since 0 µs. */
  #over(track: string): number {
    const { maxWaitMs, maxAheadMs } = this.options;
    const blocks = this.#input.blocks!;
    const now = this.#now(this.#zero!);
    const aheadMs = (blocks.endOf(track) - now) / 1000;
    if (aheadMs > maxAheadMs) {
      const rule = `it must be at most ${maxAheadMs} ms ahead of the clock`;
      throw new RangeError(cannot(`record track ${track}`, { rule, value: aheadMs }));
    }
    return Math.min(blocks.newest, (now / 1000 - maxWaitMs) * blocks.format.sampleRate / 1000);
  }

  #now(zero: number): number {
    return performance.now() * 1000 - zero;
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

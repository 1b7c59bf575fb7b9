import { z } from "zod";
import { AudioFrame, MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import type { Marker } from "../../core/frames/marker.ts";
import { Node, type NodeContext, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { factorOf, requireAudio, SILENCE_DB, trackOf } from "./_frames.ts";
import { mix } from "./_mix.ts";
import { MAX_TRACKS, type TrackBlock, type TrackBlocksState } from "./_track_blocks.ts";
import { TrackInput } from "./_track_input.ts";

/** Options of {@linkcode AudioMixer}. */
export interface AudioMixerOptions {
  /** How many tracks there will be: it waits for them all. @default unknown: all wait `maxWaitMs` */
  tracks?: number;
  /** Channels that go out, 1 to 32. @default those of the first frame */
  channels?: number;
  /** How long frames that go out are, in ms. @default 20 */
  frameMs: number;
  /** How far one track may be ahead of another before it goes on without that one, in ms. @default 200 */
  maxWaitMs: number;
  /** Gain of each track by name, in dB; -120 is silence. @default 0 each */
  gainsDb: Record<string, number>;
}

const schema = z.strictObject({
  tracks: z.int().min(1).max(MAX_TRACKS).optional()
    .describe("How many tracks there will be; if absent, everything waits maxWaitMs"),
  channels: z.int().min(1).max(MAX_CHANNELS).optional()
    .describe("Channels that go out; those of the first frame if absent"),
  frameMs: z.number().min(1).max(1000).default(20)
    .describe("How long frames that go out are, in ms"),
  maxWaitMs: z.number().min(0).max(60_000).default(200)
    .describe("How far one track may be ahead of another before it goes on without that, in ms"),
  gainsDb: z.record(z.string(), z.number().min(SILENCE_DB).max(60)).default({})
    .describe("Gain of each track by name, in dB; -120 is silence"),
});

/**
 * Adds up to 256 tracks up, to the sample by their timestamps. Tracks are told apart by `metadata.track`
 * (text or number; `"0"` without), and may start, pause and end at any time.
 *
 * Frames that go out all have one length, and `metadata.tracks`: who is heard in it. Where nobody is, none
 * goes out. A frame goes out when all `tracks` are past it (those ended by a marker `track-end` with
 * `data: { track }` are not waited for), or one is `maxWaitMs` past it: no more than that and the longest frame is held.
 * What of a track comes later than that, or overlaps what came before of it, is left out and logged.
 *
 * Samples are added, not scaled or clipped; NaN and Infinity stay where they are. Channels follow
 * `AudioTransform`'s rules. All tracks must have one rate; another fails the stream.
 *
 * @example
 * ```ts
 * import { AudioMixer } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const voice = sine({ seconds: 0.1, metadata: { track: "voice" } });
 * const music = sine({ seconds: 0.1, metadata: { track: "music" } });
 * const mixer = new AudioMixer({ tracks: 2, gainsDb: { music: -12 } });
 * const frames = await Array.fromAsync(ReadableStream.from([...voice, ...music]).pipeThrough(mixer));
 * console.log(frames.length, frames[0]!.metadata.tracks); // 5 ["voice", "music"]
 * ```
 */
export class AudioMixer extends Node<AudioFrame, AudioFrame, AudioMixerOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  readonly #input = new TrackInput(this.type, { ...this.options, fillMs: 0 });

  /** Keeps the log. */
  override open({ log }: NodeContext): void {
    this.#input.log = log;
  }

  /** Takes a frame of a track; gives what is complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    if (frame.numberOfFrames === 0) return;
    const { channels = frame.numberOfChannels, gainsDb } = this.options;
    const blocks = this.#input.open(frame.sampleRate, channels);
    const track = trackOf(this, frame);
    const mixed = mix(frame.data, frame.numberOfChannels, blocks.format.channels);
    const data = scaled(mixed, factorOf(Object.hasOwn(gainsDb, track) ? gainsDb[track]! : 0));
    const { timestamp } = frame;
    this.#input.add(frame, { track, timestamp, data, channels: blocks.format.channels, at: 0 });
    return this.#give();
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

  #give(): NodeOutput<AudioFrame> {
    const blocks = this.#input.blocks!;
    const limit = blocks.complete();
    const first = blocks.take(limit);
    return first === undefined ? undefined : this.#rest(first, limit);
  }

  *#rest(first: TrackBlock, limit: number): Generator<AudioFrame> {
    yield this.#frame(first);
    for (let block; (block = this.#input.blocks?.take(limit)) !== undefined;) {
      yield this.#frame(block);
    }
  }

  #frame({ data, timestamp, tracks }: TrackBlock): AudioFrame {
    const { sampleRate, channels } = this.#input.blocks!.format;
    const metadata = { tracks };
    return new AudioFrame({ data, sampleRate, numberOfChannels: channels, timestamp, metadata });
  }
}

function scaled(data: Float32Array, factor: number): Float32Array {
  return factor === 1 ? data : data.map((sample) => sample * factor);
}

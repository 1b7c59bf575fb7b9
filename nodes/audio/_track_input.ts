import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Marker } from "../../core/frames/marker.ts";
import type { Logger } from "../../core/log.ts";
import {
  MAX_TRACKS,
  TrackBlocks,
  type TrackBlocksState,
  type TrackPiece,
} from "./_track_blocks.ts";

/** What a {@linkcode TrackInput} needs to know to lay out blocks. */
export interface TrackRules {
  /** How long a block is, in ms. */
  frameMs: number;
  /** How far one track may be ahead of another, in ms. */
  maxWaitMs: number;
  /** How many tracks are waited for. @default as many as may still come */
  tracks?: number;
  /** Gaps up to this are filled with silence, in ms; 0 leaves them out. */
  fillMs: number;
}

/** The tracks that one node takes, told apart by `metadata.track`: same rate for all, late samples are logged. */
export class TrackInput {
  readonly #type: string;
  readonly #rules: TrackRules;
  /** Tracks whose lateness was logged, once each. Bounded by `MAX_TRACKS`. */
  readonly #told: Set<string> = new Set();
  log: Logger | undefined;
  blocks: TrackBlocks | undefined;

  /** @param type of the node, for errors */
  constructor(type: string, rules: TrackRules) {
    this.#type = type;
    this.#rules = rules;
  }

  /** The blocks, made for the format of the first frame. */
  open(sampleRate: number, channels: number): TrackBlocks {
    if (this.blocks !== undefined) return this.blocks;
    const { frameMs, maxWaitMs, tracks, fillMs } = this.#rules;
    const samples = (ms: number) => Math.round(ms * sampleRate / 1000);
    this.blocks = new TrackBlocks({
      sampleRate,
      channels,
      blockSize: Math.max(1, samples(frameMs)),
      maxWait: samples(maxWaitMs),
      tracks,
      fill: samples(fillMs),
    });
    return this.blocks;
  }

  /**
   * Adds a frame's samples to the blocks.
   *
   * @throws {RangeError} if its rate is another than that of the first frame, or there are too many tracks
   */
  add(frame: AudioFrame, piece: TrackPiece): void {
    const blocks = this.blocks!;
    const { sampleRate } = blocks.format;
    const action = `take track ${piece.track} in ${this.#type}`;
    if (frame.sampleRate !== sampleRate) {
      const rule = `all tracks must have ${sampleRate} Hz (put an AudioTransform in front)`;
      throw new RangeError(cannot(action, { rule, value: frame.sampleRate }));
    }
    if (!blocks.has(piece.track) && blocks.size >= MAX_TRACKS) {
      const rule = `there must be at most ${MAX_TRACKS} tracks`;
      throw new RangeError(cannot(action, { rule, value: blocks.size + 1 }));
    }
    const late = blocks.add(piece);
    if (late === 0 || this.#told.has(piece.track)) return;
    this.#told.add(piece.track);
    this.log?.warn("Track {track} is late: {late} samples at {timestamp} µs are left out", {
      track: piece.track,
      late,
      timestamp: piece.timestamp,
    });
  }

  /** Acts on a marker `track-end` with `data: { track }`. */
  mark({ name, data }: Marker): void {
    if (name !== "track-end") return;
    const { track } = (data ?? {}) as { track?: unknown };
    if (typeof track !== "string" && typeof track !== "number") {
      const rule = "its data must be { track }, a text or a number";
      throw new TypeError(cannot("take marker track-end", { rule, value: track }));
    }
    this.blocks?.end(String(track));
  }

  /** Forgets everything. */
  reset(): void {
    this.blocks = undefined;
    this.#told.clear();
  }

  /** What it holds. */
  snapshot(): TrackBlocksState | null {
    return this.blocks?.snapshot() ?? null;
  }

  /** Goes on from a snapshot. */
  restore(state: TrackBlocksState | null): void {
    this.blocks = state === null ? undefined : TrackBlocks.from(state);
  }
}

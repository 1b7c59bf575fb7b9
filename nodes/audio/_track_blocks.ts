/** Times of a track that differ by less from where it is are taken for rounding, in seconds. */
const ROUNDING_SECONDS = 0.001;

/** What {@linkcode TrackBlocks} makes. */
export interface TrackFormat {
  /** Of all tracks, in Hz. */
  sampleRate: number;
  /** Channels of a block. */
  channels: number;
  /** Samples of each channel of a block. */
  blockSize: number;
  /** How far a track may be ahead of the one that is furthest behind, in samples. */
  maxWait: number;
  /** How many tracks are waited for, until `maxWait`. @default as many as may still come */
  tracks?: number;
  /** Gaps up to so many samples are filled with silence; 0 leaves out blocks without sound. */
  fill: number;
}

/** Samples of one track. */
export interface TrackPiece {
  /** Its name. */
  track: string;
  /** When it is heard, in µs. */
  timestamp: number;
  /** Planar `[channels × frames]`. */
  data: Float32Array;
  /** Channels of `data`. */
  channels: number;
  /** The channel of the block that the first of them is added to. */
  at: number;
}

/** A block that is complete. */
export interface TrackBlock {
  /** When it starts, in µs, rounded. */
  timestamp: number;
  /** Planar `[channels × blockSize]`; the last one may be shorter. */
  data: Float32Array;
  /** The tracks that are heard in it. */
  tracks: string[];
}

/** State of {@linkcode TrackBlocks}, structured-clonable. */
export interface TrackBlocksState {
  format: TrackFormat;
  origin: number | null;
  next: number | null;
  blocks: [number, OpenBlock][];
  tracks: [string, Track][];
}

interface OpenBlock {
  data: Float32Array;
  /** Where its last sample ends. */
  filled: number;
  tracks: string[];
}

interface Track {
  /** Where it is, in samples since 0 µs. */
  end: number;
  over: boolean;
}

/** The most tracks that one node can tell apart: bounds the list of them. */
export const MAX_TRACKS = 256;

/**
 * Adds tracks up on one time line, by timestamp, to the sample, in blocks of one size.
 *
 * A block is complete when all tracks are past it, or when one is `maxWait` past it. So it holds at most `maxWait`
 * and the longest frame, whatever comes. Of a track, what overlaps what came before of it, and what
 * comes after its block was given, is too late and left out.
 */
export class TrackBlocks {
  readonly format: TrackFormat;
  /** The first sample of block 0, in samples since 0 µs. */
  #origin: number | undefined;
  /** The block that is given next; all before are gone. */
  #next: number | undefined;
  readonly #blocks: Map<number, OpenBlock> = new Map();
  readonly #tracks: Map<string, Track> = new Map();

  constructor(format: TrackFormat) {
    this.format = format;
  }

  /** How many tracks there are. */
  get size(): number {
    return this.#tracks.size;
  }

  /** Whether the track is known. */
  has(track: string): boolean {
    return this.#tracks.has(track);
  }

  /** Where the furthest track is, in samples since 0 µs. */
  get newest(): number {
    let newest = -Infinity;
    for (const { end } of this.#tracks.values()) newest = Math.max(newest, end);
    return newest;
  }

  /** Where a track is, in µs; `-Infinity` if it has not begun. */
  endOf(track: string): number {
    return (this.#tracks.get(track)?.end ?? -Infinity) * 1e6 / this.format.sampleRate;
  }

  /** Adds a piece. Gives how many of its samples were too late. */
  add({ track: name, timestamp, data, channels, at }: TrackPiece): number {
    const { sampleRate } = this.format;
    const frames = data.length / channels;
    let track = this.#tracks.get(name);
    let start = Math.round(timestamp * sampleRate / 1e6);
    if (track === undefined) this.#tracks.set(name, track = { end: start, over: false });
    else if (Math.abs(start - track.end) <= ROUNDING_SECONDS * sampleRate) start = track.end;
    this.#origin ??= start;
    const gone = this.#next === undefined ? -Infinity : this.#positionOf(this.#next);
    const late = Math.min(frames, Math.max(0, track.end - start, gone - start));
    for (let done = late; done < frames;) {
      done += this.#write(start + done, { name, data, channels, at, from: done });
    }
    track.end = Math.max(track.end, start + frames);
    track.over = false;
    return late;
  }

  /** A track has ended: it is not waited for. */
  end(name: string): void {
    const track = this.#tracks.get(name);
    if (track !== undefined) track.over = true;
  }

  /** Up to where blocks are complete, in samples since 0 µs. */
  complete(): number {
    const { maxWait, tracks = Infinity } = this.format;
    const { newest } = this;
    const waitedFor = newest - maxWait;
    if (this.#tracks.size < tracks) return waitedFor;
    let slowest = newest;
    for (const { end, over } of this.#tracks.values()) if (!over) slowest = Math.min(slowest, end);
    return Math.max(slowest, waitedFor);
  }

  /** Takes the next block that ends at or before `limit`; none if there is none. */
  take(limit: number): TrackBlock | undefined {
    const index = this.#nextIndex(limit);
    if (index === undefined || this.#positionOf(index + 1) > limit) return;
    return this.#close(index, this.format.blockSize);
  }

  /** Takes the next block of those that are left; the last one is as long as what is in it. */
  takeLast(): TrackBlock | undefined {
    const index = this.#nextIndex(this.newest);
    if (index === undefined || this.#blocks.size === 0) return;
    const { blockSize } = this.format;
    const isLast = this.#blocks.size === 1 && this.#blocks.has(index);
    return this.#close(index, isLast ? this.#blocks.get(index)!.filled : blockSize);
  }

  /** What it holds. */
  snapshot(): TrackBlocksState {
    return {
      format: this.format,
      origin: this.#origin ?? null,
      next: this.#next ?? null,
      blocks: [...this.#blocks].map(([index, { data, filled, tracks }]) => {
        return [index, { data: data.slice(), filled, tracks: [...tracks] }];
      }),
      tracks: [...this.#tracks].map(([name, track]) => [name, { ...track }]),
    };
  }

  /** One that goes on from a snapshot. */
  static from({ format, origin, next, blocks, tracks }: TrackBlocksState): TrackBlocks {
    const again = new TrackBlocks(format);
    again.#origin = origin ?? undefined;
    again.#next = next ?? undefined;
    for (const [index, block] of blocks) {
      again.#blocks.set(index, { ...block, data: block.data.slice(), tracks: [...block.tracks] });
    }
    for (const [name, track] of tracks) again.#tracks.set(name, { ...track });
    return again;
  }

  /** The block that is due next: the first that has sound, or a silent one of a gap that is filled. */
  #nextIndex(limit: number): number | undefined {
    const { fill, blockSize } = this.format;
    const first = this.#blocks.size === 0 ? undefined : Math.min(...this.#blocks.keys());
    if (fill === 0 || this.#next === undefined) return first;
    const until = first ??
      this.#next + Math.floor((limit - this.#positionOf(this.#next)) / blockSize);
    return (until - this.#next) * blockSize > fill ? first : this.#next;
  }

  #positionOf(index: number): number {
    return this.#origin! + index * this.format.blockSize;
  }

  /** Adds the samples from `from` on that belong to the block at `position`; gives how many. */
  #write(
    position: number,
    { name, data, channels, at, from }: {
      name: string;
      data: Float32Array;
      channels: number;
      at: number;
      from: number;
    },
  ): number {
    const { blockSize } = this.format;
    const frames = data.length / channels;
    const index = Math.floor((position - this.#origin!) / blockSize);
    const offset = position - this.#positionOf(index);
    const count = Math.min(frames - from, blockSize - offset);
    const block = this.#open(index);
    if (!block.tracks.includes(name)) block.tracks.push(name);
    block.filled = Math.max(block.filled, offset + count);
    for (let channel = 0; channel < channels; channel++) {
      const source = channel * frames + from;
      const target = (at + channel) * blockSize + offset;
      for (let sample = 0; sample < count; sample++) {
        block.data[target + sample]! += data[source + sample]!;
      }
    }
    return count;
  }

  #open(index: number): OpenBlock {
    let block = this.#blocks.get(index);
    if (block === undefined) {
      const { blockSize, channels } = this.format;
      block = { data: new Float32Array(blockSize * channels), filled: 0, tracks: [] };
      this.#blocks.set(index, block);
    }
    return block;
  }

  #close(index: number, length: number): TrackBlock {
    const { sampleRate, blockSize, channels } = this.format;
    const { data, tracks } = this.#open(index);
    this.#blocks.delete(index);
    this.#next = index + 1;
    const timestamp = Math.round(this.#positionOf(index) * 1e6 / sampleRate);
    if (length === blockSize) return { timestamp, data, tracks };
    const cut = new Float32Array(length * channels);
    for (let channel = 0; channel < channels; channel++) {
      const from = channel * blockSize;
      cut.set(data.subarray(from, from + length), channel * length);
    }
    return { timestamp, data: cut, tracks };
  }
}

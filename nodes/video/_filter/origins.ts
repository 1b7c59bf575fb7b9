import type { Metadata } from "../../../core/frames/mod.ts";

/** Frames of which something is remembered at most: a filter that holds more back loses the metadata of the oldest. */
const MOST = 1024;

/** What is remembered of a frame that went into a filter. */
export interface Origin {
  timestamp: number;
  metadata: Metadata;
  duration?: number;
}

/** Finds for what a filter gives the frame that it comes from: the last one that does not start after it. */
export class Origins {
  readonly #origins: Origin[] = [];

  /** Remembers a frame. */
  add({ timestamp, metadata, duration }: Origin): void {
    const last = this.#origins.at(-1);
    const isAlike = last?.metadata === metadata && duration === undefined;
    if (isAlike && last.duration === undefined) return;
    this.#origins.push({ timestamp, metadata, duration });
    if (this.#origins.length > MOST) this.#origins.shift();
  }

  /** The frame that is heard or shown at `timestamp`; those before it are forgotten. */
  at(timestamp: number): Origin {
    const origins = this.#origins;
    while (origins.length > 1 && origins[1]!.timestamp <= timestamp) origins.shift();
    return origins[0]!;
  }
}

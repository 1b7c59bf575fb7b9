import { checkTimestamp, type FrameInit, type Metadata, noMetadata } from "./_frame.ts";

/** What a {@linkcode Marker} is made of. */
export interface MarkerInit extends FrameInit {
  /** What it marks. */
  name: string;
  /** Any structured-clonable value. */
  data?: unknown;
}

/**
 * A note in the stream: it passes through every node in its place without `process()`. A node may act
 * on it in `onMarker()`.
 *
 * @example
 * ```ts
 * import { Marker, PassThrough } from "@remotemedia/sdk";
 *
 * const source = ReadableStream.from([1, new Marker({ name: "half" }), 2]);
 * for await (const chunk of source.pipeThrough(new PassThrough())) console.log(chunk);
 * ```
 */
export class Marker {
  /** Tells the kinds of frames apart. */
  readonly kind = "marker";
  /** What it marks. */
  readonly name: string;
  /** Any structured-clonable value. */
  readonly data: unknown;
  /** When it happened, in µs, a whole number. */
  readonly timestamp: number;
  /** Whatever else travels with it. */
  readonly metadata: Metadata;

  /**
   * Makes one.
   *
   * @param init its name, and what it carries
   */
  constructor({ name, data, timestamp = 0, metadata = noMetadata }: MarkerInit) {
    this.name = name;
    this.data = data;
    this.timestamp = checkTimestamp("create Marker", timestamp);
    this.metadata = metadata;
  }
}

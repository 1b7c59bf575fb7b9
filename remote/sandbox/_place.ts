import type { HostSegment } from "./_host_segment.ts";
import type { GuestMessage, HostMessage } from "./protocol.ts";
import type { Wire } from "./_wire.ts";

/** What a guest says of one of its segments. */
export type SegmentMessage = GuestMessage & { segment: number };

/** Where the nodes of a segment run. */
export interface Place {
  /** The messages to it. */
  readonly wire: Wire<HostMessage>;
  /** The number of the segment there. */
  readonly id: number;
  /** The segment is over there; resolves when nothing of it is left. */
  release(): Promise<void>;
  /** Ends the guest of a segment that does not end. */
  abandon(): void;
}

/** How a segment gets its place: it calls `open` message by itself. */
export type FindPlace = (
  segment: HostSegment,
  states: Map<string, unknown> | undefined,
) => Promise<Place>;

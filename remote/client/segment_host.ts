import type { WindowLimits } from "./input_window.ts";
import type { StreamCall } from "./stream_connection.ts";

/** A call that can carry a session. */
export interface Dialed {
  /** The call, to which nothing was sent yet. */
  call: StreamCall;
  /** What to call the server in errors. */
  where: string;
  /** The place that the server keeps; empty for none. */
  reservation: string;
  /** Tells how it went: `undefined` if well. */
  report(failure: Error | undefined): void;
}

/** What a segment needs of its executor. */
export interface SegmentHost {
  /** Makes a call to a server. @param attempt how many failed since the last that worked */
  dial(attempt: number, signal: AbortSignal): Promise<Dialed>;
  /** The segment is over. @param reason why, if not well */
  ended(reason: unknown): void;
  /** Puts the places of this machine into an error of the server. */
  localize?(error: Error): void;
  /** The registered pipeline that is opened, instead of nodes. */
  readonly pipeline?: string;
  /** How often it may fail in a row, once a session has run. */
  readonly attempts: number;
  /** Whether sessions go on after a failure. */
  readonly resume: boolean;
  /** What bounds the inputs and outputs on their way. */
  readonly limits: WindowLimits;
}

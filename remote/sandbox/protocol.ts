/**
 * What a host and the guest in a sandbox say to each other over their Unix socket, as two closed unions.
 * On the wire a message is two lengths (32 bits, big-endian), a MessagePack array (the number of its type,
 * then its fields in turn), and the samples of its frames.
 *
 * The host trusts nothing that a guest says: `decodeGuestMessage()` in `guest_codec.ts` checks type, count and bounds of
 * every field, and what it refuses ends the sandbox.
 *
 * @module
 */

import type { NodeSpec } from "../../core/executor.ts";
import type { NodeCounts, NodeStats } from "../../core/stats.ts";
import type { Failure } from "./failure.ts";

/** Grows with every change that an older peer does not understand. */
export const PROTOCOL_VERSION = 2;

/** A chunk, or a barrier of the engine in its place. `bytes`, about how many it takes, stays on its side. */
export type Entry =
  & { bytes?: number }
  & (
    | { kind: "chunk"; value: unknown }
    | {
      kind: "barrier";
      sequence: number;
      snapshot: boolean;
      states: Map<string, unknown>;
      counts: Map<string, NodeCounts>;
    }
  );

/** One thing done to a module or object in the guest. */
export type Operation =
  | { kind: "apply"; target: number; path: string[]; args: Uint8Array; callbacks: Callback[] }
  | { kind: "construct"; target: number; path: string[]; args: Uint8Array; callbacks: Callback[] }
  | { kind: "get"; target: number; path: string[] }
  | { kind: "set"; target: number; path: string[]; value: Uint8Array }
  /** Calls `path[1]` of an instance of class `path[0]`, made of its state; `packed` holds state and args. */
  | { kind: "invoke"; target: number; path: string[]; packed: Uint8Array }
  | { kind: "next"; target: number }
  | { kind: "return"; target: number }
  | { kind: "release"; target: number };

/**
 * What stands among the arguments and does not travel: a function, by the number that it is called back by, or an
 * object of the guest itself.
 */
export type Callback =
  & {
    /** The steps to it from the list of arguments. */
    path: (string | number)[];
  }
  & ({ id: number } | { target: number });

/** What an {@linkcode Operation} gave. */
export type Outcome =
  | { kind: "value"; value: Uint8Array }
  | { kind: "object"; target: number; callable: boolean }
  | { kind: "generator"; target: number }
  | { kind: "done"; value: Uint8Array }
  | { kind: "failed"; failure: Failure };

/** What the host says. */
export type HostMessage =
  /** `usesProcess`: it imports Node's `process`, which must be made quiet before. */
  | { type: "load"; module: string; files: string[]; usesProcess: boolean }
  | { type: "open"; segment: number; nodes: NodeSpec[]; states?: Map<string, unknown> }
  | { type: "inputs"; segment: number; entries: Entry[] }
  | { type: "end"; segment: number }
  | { type: "credit"; segment: number; count: number }
  | { type: "interrupt"; segment: number; id: number }
  | { type: "stop"; segment: number; failure: Failure }
  | { type: "ask-stats"; segment: number }
  | { type: "operate"; id: number; operation: Operation }
  | { type: "called-back"; id: number; outcome: Outcome };

/** What the guest says. */
export type GuestMessage =
  | { type: "ready"; version: number }
  | { type: "loaded"; exports: string[] }
  | { type: "not-loaded"; failure: Failure }
  | { type: "opened"; segment: number; capacity: number }
  | { type: "outputs"; segment: number; entries: Entry[] }
  | { type: "credit"; segment: number; count: number }
  | { type: "interrupted"; segment: number; id: number }
  | { type: "ended"; segment: number; stats: NodeStats[] }
  | { type: "failed"; segment: number; failure: Failure; stats: NodeStats[] }
  | { type: "stats"; segment: number; stats: NodeStats[] }
  | { type: "operated"; id: number; outcome: Outcome }
  | { type: "call-back"; id: number; callback: number; args: Uint8Array }
  | { type: "log"; level: LogLevel; text: string; dropped: number };

/** How loud a line of a guest's console is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** All of them; on the wire, a level is its place in this list. */
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The most letters of one line of a guest's console. */
export const MAX_LOG_TEXT = 4096;

/** How many steps a path into a module or object may have. */
export const maxPath = 32;

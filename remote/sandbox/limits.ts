import { cannot } from "../../core/errors.ts";

/** What a sandbox may use. Passing one of them ends its process with SIGKILL and a `SandboxError`. */
export interface SandboxLimits {
  /** Memory beyond that of an empty process, in bytes: heap, buffers and WebAssembly. @default 256 MiB */
  memoryBytes?: number;
  /** CPU time over its whole life, in ms. @default 600000 */
  cpuMs?: number;
  /** Time over its whole life, in ms. @default 3600000 */
  wallMs?: number;
  /** Time without a message in either direction, in ms. @default 60000 */
  idleMs?: number;
  /** Bytes that it sends over its whole life. @default 16 GiB */
  outputBytes?: number;
  /** Bytes of one message in either direction. @default 64 MiB */
  messageBytes?: number;
  /** Messages that it sends within one second. @default 100000 */
  messagesPerSecond?: number;
  /** Lines of its console, or lines straight to its outputs, within one second. @default 1000 */
  logLinesPerSecond?: number;
  /** Operating system threads of its process: its own Workers need some each. @default 64 */
  threads?: number;
}

/** All limits, each with a number. */
export type CompleteLimits = Readonly<Required<SandboxLimits>>;

const MiB = 1 << 20;

/** What a sandbox may use if nobody says otherwise. */
export const defaultLimits: CompleteLimits = Object.freeze({
  memoryBytes: 256 * MiB,
  cpuMs: 600_000,
  wallMs: 3_600_000,
  idleMs: 60_000,
  outputBytes: 16 * 1024 * MiB,
  messageBytes: 64 * MiB,
  messagesPerSecond: 100_000,
  logLinesPerSecond: 1_000,
  threads: 64,
});

/**
 * Limits with the defaults filled in.
 *
 * @throws {RangeError} if one is not above 0
 */
export function completeLimits(limits: SandboxLimits = {}): CompleteLimits {
  const complete = { ...defaultLimits };
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    if (!(typeof value === "number" && value > 0)) {
      throw new RangeError(
        cannot("limit sandbox", { rule: `limits.${name} must be a number above 0`, value }),
      );
    }
    complete[name as keyof SandboxLimits] = Math.min(value, Number.MAX_SAFE_INTEGER); // Infinity is no JSON
  }
  return Object.freeze(complete);
}

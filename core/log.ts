import { getLogger } from "@logtape/logtape";

/** What logs: a message with `{placeholders}`, and the values for them. */
export interface Logger {
  /** What helps to find a fault. */
  debug(message: string, properties?: Record<string, unknown>): void;
  /** What happened. */
  info(message: string, properties?: Record<string, unknown>): void;
  /** What may be wrong. */
  warn(message: string, properties?: Record<string, unknown>): void;
  /** What is wrong. */
  error(message: string, properties?: Record<string, unknown>): void;
}

/**
 * A logger under `["remotemedia", …]`. The library configures no sink: an application does, with LogTape.
 *
 * @param category the part of the library that speaks, for example `"remote", "server"`
 */
export function loggerFor(...category: string[]): Logger {
  return getLogger(["remotemedia", ...category]);
}

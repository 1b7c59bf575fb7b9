import { getLogger, type Logger } from "@logtape/logtape";

export type { Logger };

/**
 * A logger under `["remotemedia", …]`. The library configures no sink: an application does.
 *
 * @param category the part of the library that speaks, for example `"remote", "server"`
 */
export function loggerFor(...category: string[]): Logger {
  return getLogger(["remotemedia", ...category]);
}

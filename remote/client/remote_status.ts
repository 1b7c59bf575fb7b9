import type { Endpoint } from "./endpoint.ts";
import { statusOfEndpoint } from "./placement.ts";

/** How a server does. */
export type RemoteStatus =
  | {
    /** `host:port`. */
    where: string;
    /** Whether it answers. */
    up: true;
    /** The version of its software. */
    version: string;
    /** Sessions that run. */
    sessions: number;
    /** The most that may run. */
    maxSessions: number;
    /** Places that are kept for sessions to come. */
    reserved: number;
    /** Whether it takes no new sessions. */
    draining: boolean;
    /** Memory of its process, in bytes. */
    rssBytes: number;
    /** How long it runs, in ms. */
    uptimeMs: number;
    /** CPU time that it took, in ms. */
    cpuMs: number;
  }
  | {
    /** `host:port`. */
    where: string;
    /** Whether it answers. */
    up: false;
    /** Why not. */
    error: Error;
  };

/** How a server does; one that cannot be reached is told with its error. */
export async function remoteStatus(
  endpoint: Endpoint,
  signal: AbortSignal | undefined,
): Promise<RemoteStatus> {
  const { where } = endpoint;
  try {
    const told = await statusOfEndpoint(endpoint, signal);
    const { version, sessions, maxSessions, reserved, draining } = told;
    const [rssBytes, uptimeMs] = [Number(told.rssBytes), Number(told.uptimeMs)];
    const cpuMs = Number(told.cpuMs);
    return {
      where,
      up: true,
      version,
      sessions,
      maxSessions,
      reserved,
      draining,
      rssBytes,
      uptimeMs,
      cpuMs,
    };
  } catch (error) {
    return { where, up: false, error: error as Error };
  }
}

import { z } from "zod";
import { parseOptions } from "../../core/options.ts";

/** Where a server listens. */
export interface EndpointOptions {
  /** A host name or address. @default "127.0.0.1" */
  host?: string;
  /** The port. @default 50052 */
  port?: number;
  /** A socket on this machine instead: `unix:/run/remotemedia.sock`. */
  target?: string;
}

/** Certificates, each as the text of a PEM file. */
export interface TlsOptions {
  /** Who signed the server's certificate. @default the well-known authorities */
  ca?: string;
  /** This client's certificate, for servers that ask for one. */
  cert?: string;
  /** Its key. */
  key?: string;
}

/** How failures are met. */
export interface RetryOptions {
  /** How often it may fail in a row before it is given up. @default 8 */
  attempts?: number;
  /** The wait before the second try, in ms; doubled for each one more, and jittered. @default 100 */
  minDelayMs?: number;
  /** The longest wait, in ms. @default 5000 */
  maxDelayMs?: number;
}

/** What a {@linkcode RemoteExecutor} takes. */
export interface RemoteExecutorOptions extends EndpointOptions {
  /** Several servers, instead of one; the least loaded is taken. */
  endpoints?: readonly EndpointOptions[];
  /** Certificates, or `false` for none. @default `false` for this machine, `{}` for others */
  tls?: TlsOptions | false;
  /** Sent as bearer token. */
  token?: string;
  /** The most that a call or a session may take, in ms. @default no bound */
  timeoutMs?: number;
  /** How failures are met; `false`: a session whose connection breaks has failed. */
  retry?: RetryOptions | false;
  /** Inputs that may be on their way in a session, and outputs. @default 1024 */
  maxInFlight?: number;
  /** Bytes of inputs that may be on their way in a session, and of outputs. @default 8388608 */
  maxInFlightBytes?: number;
  /** How often nodes are asked for snapshots while inputs flow slowly, in ms. @default 250 */
  snapshotIntervalMs?: number;
  /** How often a silent connection is probed, in ms. @default 10000 */
  keepaliveMs?: number;
}

const endpoint = {
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).optional(),
  target: z.string().regex(/^unix:/, "must start with unix:").optional(),
};

const tls = z.union([
  z.literal(false),
  z.strictObject({
    ca: z.string().optional(),
    cert: z.string().optional(),
    key: z.string().optional(),
  }),
]);

const retry = z.strictObject({
  attempts: z.int().min(0).default(8),
  minDelayMs: z.number().min(0).default(100),
  maxDelayMs: z.number().min(0).default(5_000),
});

const schema = z.strictObject({
  ...endpoint,
  endpoints: z.array(z.strictObject(endpoint)).min(1).optional(),
  tls: tls.optional(),
  token: z.string().min(1).optional(),
  timeoutMs: z.number().positive().optional(),
  retry: z.union([z.literal(false), retry]).default({
    attempts: 8,
    minDelayMs: 100,
    maxDelayMs: 5_000,
  }),
  maxInFlight: z.int().min(1).default(1_024),
  maxInFlightBytes: z.int().min(1).default(8 * 2 ** 20),
  snapshotIntervalMs: z.number().min(0).default(250),
  keepaliveMs: z.number().min(100).default(10_000),
});

/** The options, checked and completed. */
export type CheckedOptions = z.output<typeof schema>;

/** Checks and completes the options. @throws {TypeError | RangeError} naming option, rule and value */
export function checkOptions(options: RemoteExecutorOptions): CheckedOptions {
  return parseOptions("RemoteExecutor", schema, options) as CheckedOptions;
}

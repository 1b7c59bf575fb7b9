/**
 * The few errors that a caller will want to tell apart. Faults of an argument are the built-in
 * `TypeError` and `RangeError`, worded by {@linkcode cannot}.
 *
 * @module
 */

/** What an error of this library can carry beside its message. */
export interface ErrorOptions {
  /** The error underneath. */
  cause?: unknown;
}

/** The step of a node's life in which it failed. */
export type NodePhase =
  | "open"
  | "process"
  | "marker"
  | "interrupt"
  | "wake"
  | "snapshot"
  | "restore"
  | "flush"
  | "close";

/** A pipeline or graph that cannot be built or run as asked. */
export class PipelineError extends Error {
  /** The class's name. */
  override readonly name: string = "PipelineError";
}

/** Where a {@linkcode NodeError} happened. */
export interface NodeErrorOptions extends ErrorOptions {
  /** The node's name in its pipeline. */
  node: string;
  /** What the node was doing. @default "process" */
  phase?: NodePhase;
  /** Which chunk it was given, counted from 0; absent outside `process()`. */
  chunkIndex?: number;
}

/**
 * A node threw. Names the node, its phase and the chunk it was given; what it threw is `cause`.
 *
 * @example
 * ```ts
 * import { assert } from "node:console";
 * import { NodeError } from "@remotemedia/sdk";
 *
 * const error = new NodeError({ node: "Gain", chunkIndex: 3, cause: new Error("clipped") });
 * assert(error.message === 'Node "Gain" failed on chunk 3: clipped');
 * ```
 */
export class NodeError extends PipelineError {
  /** The class's name. */
  override readonly name: string = "NodeError";
  /** The node's name in its pipeline. */
  readonly node: string;
  /** What the node was doing. */
  readonly phase: NodePhase;
  /** Which chunk it was given, counted from 0; `undefined` outside `process()`. */
  readonly chunkIndex: number | undefined;

  /**
   * Names the place in the message.
   *
   * @param options where it happened, and `cause`: what was thrown
   */
  constructor({ node, phase = "process", chunkIndex, cause }: NodeErrorOptions) {
    const where = chunkIndex === undefined ? `in ${phase}` : `on chunk ${chunkIndex}`;
    super(`Node "${node}" failed ${where}: ${messageOf(cause)}`, { cause });
    this.node = node;
    this.phase = phase;
    this.chunkIndex = chunkIndex;
  }
}

/** What a {@linkcode RemoteError} carries. */
export interface RemoteErrorOptions extends ErrorOptions {
  /** gRPC status code, 0 to 16. */
  code: number;
  /** Whether the same call may succeed later or elsewhere. @default false */
  retryable?: boolean;
  /** The stack of the far side, where it told one. */
  remoteStack?: string;
  /** How long the server asks to wait before the next try, in ms. */
  retryAfterMs?: number;
}

/** A remote segment could not be opened, or its connection or server failed. */
export class RemoteError extends Error {
  /** The class's name. */
  override readonly name: string = "RemoteError";
  /** gRPC status code, 0 to 16. */
  readonly code: number;
  /** Whether the same call may succeed later or elsewhere. */
  readonly retryable: boolean;
  /** The stack of the far side, where it told one. */
  readonly remoteStack: string | undefined;
  /** How long the server asks to wait before the next try, in ms. */
  readonly retryAfterMs: number | undefined;

  /**
   * Makes one.
   *
   * @param message one sentence
   * @param options what else is known of the failure
   */
  constructor(message: string, options: RemoteErrorOptions) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.remoteStack = options.remoteStack;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Why a sandbox was ended. */
export type SandboxReason =
  | "memory"
  | "cpu"
  | "wall-time"
  | "idle"
  | "output"
  | "crash"
  | "denied"
  | "protocol";

/** A sandbox passed a limit, crashed, or asked for what its policy denies. */
export class SandboxError extends Error {
  /** The class's name. */
  override readonly name: string = "SandboxError";
  /** Why the sandbox was ended. */
  readonly reason: SandboxReason;
  /** Whether it did nothing wrong: somebody else killed its process, so another may do the same work. */
  readonly retryable: boolean;

  /**
   * Makes one.
   *
   * @param message one sentence
   * @param options the reason, whether another sandbox may do it, and the cause where there is one
   */
  constructor(
    message: string,
    options: ErrorOptions & { reason: SandboxReason; retryable?: boolean },
  ) {
    super(message, { cause: options.cause });
    this.reason = options.reason;
    this.retryable = options.retryable ?? false;
  }
}

/** Code that cannot be packaged; names the import chain. */
export class PackagingError extends Error {
  /** The class's name. */
  override readonly name: string = "PackagingError";
}

/** A value that cannot be encoded, or bytes that cannot be decoded. */
export class SerializationError extends Error {
  /** The class's name. */
  override readonly name: string = "SerializationError";
}

/** A manifest, flag, policy or environment that does not fit together. */
export class ConfigurationError extends Error {
  /** The class's name. */
  override readonly name: string = "ConfigurationError";
}

/** A media file, stream or program (ffmpeg) that cannot be read or written. */
export class MediaError extends Error {
  /** The class's name. */
  override readonly name: string = "MediaError";
}

/**
 * Words an argument's fault the one way: `Cannot <action> as <rule>: current value is <value>`.
 *
 * @param action what was asked for, for example `create AudioFrame`
 * @param options the rule that was broken and the value that broke it
 */
export function cannot(action: string, { rule, value }: { rule: string; value: unknown }): string {
  return `Cannot ${action} as ${rule}: current value is ${describe(value)}`;
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** A value in one short line, for an error message. */
function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "object" && value !== null) {
    const type = value.constructor?.name ?? "object";
    if (type !== "Object" && type !== "Array") return `a ${type}`;
    try {
      return shorten(JSON.stringify(value));
    } catch {
      return type === "Array" ? "an array" : "an object";
    }
  }
  return shorten(String(value));
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

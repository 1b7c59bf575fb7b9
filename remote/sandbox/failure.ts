import {
  ConfigurationError,
  NodeError,
  type NodePhase,
  PackagingError,
  PipelineError,
  SandboxError,
  type SandboxReason,
  SerializationError,
} from "../../core/errors.ts";
import { Fields } from "./_fields.ts";

/** An error as data. */
export interface Failure {
  /** The name of its class. */
  name: string;
  /** Its message. */
  message: string;
  /** Its stack; empty where there is none. */
  stack: string;
  /** Where a `NodeError` happened. */
  node?: { name: string; phase: string; chunkIndex?: number };
  /** Why a sandbox was ended. */
  reason?: string;
  /** The error underneath. */
  cause?: Failure;
}

/** The most letters of a message or stack that travel. */
const MAX_TEXT = 16_384;
/** The most causes under an error that travel. */
const MAX_CAUSES = 16;

const phases: readonly string[] = [
  "open",
  "process",
  "marker",
  "interrupt",
  "wake",
  "snapshot",
  "restore",
  "flush",
  "close",
] satisfies NodePhase[];

/**
 * Whatever was thrown, as data. Never throws, whatever getters the thrown value has.
 *
 * @param thrown what was thrown
 */
export function failureOf(thrown: unknown, causes: number = MAX_CAUSES): Failure {
  try {
    return describe(thrown, causes);
  } catch {
    return { name: "Error", message: "an error that cannot be described", stack: "" };
  }
}

function describe(thrown: unknown, causes: number): Failure {
  if (!(thrown instanceof Error)) {
    return { name: "Error", message: cut(String(thrown)), stack: "" };
  }
  const { name, message, stack, cause } = thrown;
  const failure: Failure = { name: cut(name), message: cut(message), stack: cut(stack ?? "") };
  if (thrown instanceof NodeError) {
    const { node, phase, chunkIndex } = thrown;
    failure.node = { name: node, phase, ...(chunkIndex === undefined ? {} : { chunkIndex }) };
  }
  if (thrown instanceof SandboxError) failure.reason = thrown.reason;
  else if (name === "NotCapable") failure.reason = "denied" satisfies SandboxReason;
  if (cause !== undefined && causes > 0) failure.cause = failureOf(cause, causes - 1);
  return failure;
}

/**
 * A {@linkcode Failure} from a decoded value that anybody may have made.
 *
 * @throws {SerializationError} if it is none
 */
export function decodeFailure(value: unknown, causes: number = MAX_CAUSES): Failure {
  if (typeof value !== "object" || value === null || Array.isArray(value) || causes < 0) {
    throw new SerializationError("Cannot decode message as a failure is none");
  }
  const { name, message, stack, node, reason, cause } = value as Record<string, unknown>;
  const failure: Failure = {
    name: Fields.text(name, MAX_TEXT),
    message: Fields.text(message, MAX_TEXT),
    stack: Fields.text(stack, MAX_TEXT),
  };
  if (typeof node === "object" && node !== null) {
    const { name, phase, chunkIndex } = node as Record<string, unknown>;
    failure.node = { name: Fields.text(name, MAX_TEXT), phase: Fields.text(phase, 16) };
    if (Number.isSafeInteger(chunkIndex)) failure.node.chunkIndex = chunkIndex as number;
  }
  if (reason === "denied") failure.reason = reason; // the other reasons are not for a guest to tell
  if (cause !== undefined) failure.cause = decodeFailure(cause, causes - 1);
  return failure;
}

const classes: Readonly<Record<string, new (message: string, options: ErrorOptions) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  PipelineError,
  PackagingError,
  SerializationError,
  ConfigurationError,
};

/** The error that a {@linkcode Failure} tells of, with the class and the stack that it had there. */
export function errorOf(failure: Failure): Error {
  const cause = failure.cause === undefined ? undefined : errorOf(failure.cause);
  const error = make(failure, cause);
  const hidden = { configurable: true, enumerable: false, writable: true };
  if (error.message !== failure.message) {
    Object.defineProperty(error, "message", { value: failure.message, ...hidden });
  }
  if (error.name !== failure.name && !(error instanceof SandboxError)) {
    Object.defineProperty(error, "name", { value: failure.name, ...hidden });
  }
  if (failure.stack !== "") {
    Object.defineProperty(error, "stack", { value: failure.stack, ...hidden });
  }
  return error;
}

function make({ name, message, node, reason }: Failure, cause: Error | undefined): Error {
  if (node !== undefined && phases.includes(node.phase)) {
    const { phase, chunkIndex } = node;
    return new NodeError({ node: node.name, phase: phase as NodePhase, chunkIndex, cause });
  }
  if (reason === "denied") return new SandboxError(message, { reason, cause });
  const Class = Object.hasOwn(classes, name) ? classes[name]! : Error;
  return new Class(message, cause === undefined ? {} : { cause });
}

function cut(text: unknown): string {
  const whole = String(text);
  return whole.length > MAX_TEXT ? `${whole.slice(0, MAX_TEXT - 3)}...` : whole;
}

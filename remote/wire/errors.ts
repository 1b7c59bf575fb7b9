import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, AnySchema, anyUnpack, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Metadata } from "@grpc/grpc-js";
import {
  ConfigurationError,
  MediaError,
  messageOf,
  NodeError,
  type NodePhase,
  PackagingError,
  PipelineError,
  RemoteError,
  SandboxError,
  type SandboxReason,
  SerializationError,
} from "../../core/errors.ts";
import {
  type ErrorDetail,
  ErrorDetailSchema,
  type Status,
  StatusSchema,
} from "../../proto/gen/remotemedia/v1/error_pb.ts";
import { status, statusName } from "./grpc_status.ts";

/** The trailer that carries a `google.rpc.Status`. */
const detailsKey = "grpc-status-details-bin";

/** The trailer by which gRPC's own retries learn when to try again, in ms. */
const pushbackKey = "grpc-retry-pushback-ms";

/** The tag of a message's first field that holds a message. */
const FIELD_1 = 0x0a;

/** Causes told of one error. */
const MAX_CAUSES = 3;

/** Letters of a stack and of a message that travel: a trailer must fit into a header block. */
const [MAX_STACK, MAX_MESSAGE] = [1_000, 2_000];

/** What a gRPC call ends with. */
export interface CallStatus {
  code: number;
  details: string;
  /** What goes along, by keys. */
  trailers: readonly (readonly [key: string, value: string | Buffer])[];
  /** The same as a message. */
  message: Status;
}

/** The gRPC status of an error. The one place that says which error has which code. */
export function statusOf(error: unknown): CallStatus {
  const code = codeOf(error);
  const message = messageOf(error).slice(0, MAX_MESSAGE);
  const detail = create(ErrorDetailSchema, detailOf(error, MAX_CAUSES));
  const details = [anyPack(ErrorDetailSchema, detail)];
  const retryAfterMs = error instanceof RemoteError ? error.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) details.push(retryInfo(retryAfterMs));
  const told = create(StatusSchema, { code, message, details });
  const trailers: [string, string | Buffer][] = [
    [detailsKey, Buffer.from(toBinary(StatusSchema, told))],
  ];
  if (retryAfterMs !== undefined) trailers.push([pushbackKey, String(Math.ceil(retryAfterMs))]);
  return { code, details: message, trailers, message: told };
}

/** A `google.rpc.RetryInfo`, for clients of others: its one field is the time to wait. */
function retryInfo(retryAfterMs: number): Any {
  const seconds = BigInt(Math.floor(retryAfterMs / 1_000));
  const delay = create(DurationSchema, { seconds, nanos: Math.round(retryAfterMs % 1_000 * 1e6) });
  const bytes = toBinary(DurationSchema, delay);
  return create(AnySchema, {
    typeUrl: "type.googleapis.com/google.rpc.RetryInfo",
    value: Uint8Array.of(FIELD_1, bytes.length, ...bytes),
  });
}

function codeOf(error: unknown): number {
  if (error instanceof RemoteError) return error.code;
  if (error instanceof NodeError) return codeOfNode(error);
  if (error instanceof SandboxError) {
    if (error.retryable) return status.UNAVAILABLE;
    return error.reason === "denied" ? status.PERMISSION_DENIED : status.RESOURCE_EXHAUSTED;
  }
  if (
    error instanceof ConfigurationError || error instanceof PipelineError ||
    error instanceof SerializationError || error instanceof PackagingError ||
    error instanceof TypeError || error instanceof RangeError
  ) return status.INVALID_ARGUMENT;
  return status.UNKNOWN;
}

function codeOfNode({ cause }: NodeError): number {
  return cause instanceof RemoteError || cause instanceof SandboxError
    ? codeOf(cause)
    : status.UNKNOWN;
}

function detailOf(error: unknown, causes: number): MessageInitShape<typeof ErrorDetailSchema> {
  const message = messageOf(error).slice(0, MAX_MESSAGE);
  if (!(error instanceof Error)) return { class: "", message };
  return {
    class: error.name,
    message,
    stack: (error.stack ?? "").slice(0, MAX_STACK),
    ...(error instanceof NodeError && {
      node: {
        node: error.node,
        phase: error.phase,
        ...(error.chunkIndex !== undefined && { chunkIndex: BigInt(error.chunkIndex) }),
      },
    }),
    ...(error instanceof RemoteError && {
      retryable: error.retryable,
      retryAfterMs: error.retryAfterMs ?? 0,
    }),
    ...(error instanceof SandboxError && {
      sandboxReason: error.reason,
      retryable: error.retryable,
    }),
    ...(error.cause !== undefined && causes > 0 && { cause: detailOf(error.cause, causes - 1) }),
  };
}

/** A failed call, as grpc-js tells it. */
export interface FailedCall {
  code: number;
  details: string;
  /** The trailers. */
  metadata?: Metadata;
  /** The status as a message, where that came before the trailers. */
  ended?: Status;
}

/**
 * The error that a call failed with: the one that the server told, else a {@linkcode RemoteError}.
 *
 * @param call how it failed; @param where what was called, for errors of the connection
 * @param chunksBefore how many chunks a node was given by earlier calls, where a session has several
 */
export function errorOf(
  call: FailedCall,
  where: string,
  chunksBefore: (node: string) => number = () => 0,
): Error {
  const { code, details } = call;
  const detail = detailOfCall(call);
  if (detail !== undefined) return rebuild(detail, { code, chunksBefore }) as Error;
  // grpc-js tells a connection that broke in several ways
  const broke = brokenBy.has(code);
  return new RemoteError(sentenceOf(broke ? status.UNAVAILABLE : code, { details, where }), {
    code: broke ? status.UNAVAILABLE : code,
    retryable: broke,
  });
}

/** Codes that, without a detail of our server, mean that the connection broke. */
const brokenBy: ReadonlySet<number> = new Set<number>([
  status.UNAVAILABLE,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
  status.ABORTED,
]);

function detailOfCall({ metadata, ended }: FailedCall): ErrorDetail | undefined {
  const [bytes] = metadata?.get(detailsKey) ?? [];
  if (ended === undefined && !(bytes instanceof Uint8Array)) return undefined;
  try {
    const [any] = (ended ?? fromBinary(StatusSchema, bytes as Uint8Array)).details;
    return any === undefined ? undefined : anyUnpack(any, ErrorDetailSchema);
  } catch {
    return undefined; // a detail of somebody else: the status itself tells enough
  }
}

/** One sentence about a call that failed without a word from our server. */
function sentenceOf(code: number, { details, where }: { details: string; where: string }): string {
  const reason = details === "" ? statusName(code) ?? `code ${code}` : details;
  switch (code) {
    case status.UNAVAILABLE:
      return unavailable(reason, where);
    case status.DEADLINE_EXCEEDED:
      return `The call to ${where} took longer than its deadline allows`;
    case status.RESOURCE_EXHAUSTED: {
      const [, size, most] = /larger than max \((\d+) vs (\d+)\)/.exec(reason) ?? [];
      if (size === undefined) break;
      return `Cannot send a message of ${size} bytes to ${where} as it takes at most ${most} (maxMessageMb)`;
    }
    case status.UNAUTHENTICATED:
      return `The server at ${where} does not accept the token: ${reason}`;
    case status.UNIMPLEMENTED:
      return `The server at ${where} does not offer what was called: ${reason}`;
  }
  return `The call to ${where} failed with ${statusName(code) ?? code}: ${reason}`;
}

function unavailable(reason: string, where: string): string {
  if (/ECONNREFUSED|connection refused/i.test(reason)) {
    return `Cannot reach a server at ${where}: nothing listens there`;
  }
  if (/ENOTFOUND|name resolution|lookup|resolve/i.test(reason)) {
    return `Cannot reach a server at ${where}: the host is not known`;
  }
  if (/InvalidContentType|wrong version number|corrupt message/i.test(reason)) {
    return `Cannot reach a server at ${where}: it does not speak TLS`;
  }
  if (/CertificateRequired|certificate required|handshake failure/i.test(reason)) {
    return `Cannot reach a server at ${where}: it asks for a client's TLS certificate`;
  }
  if (/certificate|self.signed|UnknownIssuer|NotValidForName|ALTNAME|altnames/i.test(reason)) {
    return `Cannot reach a server at ${where}: its TLS certificate is not accepted (${reason})`;
  }
  if (/Failed to connect|No connection established.*ECONNRESET/.test(reason)) {
    return `Cannot reach a server at ${where}: it closes connections at once, as one that speaks TLS only does`;
  }
  return `Cannot reach a server at ${where}: ${reason}`;
}

/** What an error is rebuilt with, beside its detail. */
interface Call {
  code: number;
  chunksBefore: (node: string) => number;
}

function rebuild(detail: ErrorDetail, call: Call): unknown {
  const { message, node, stack } = detail;
  const cause = detail.cause === undefined ? undefined : rebuild(detail.cause, call);
  const options = { cause };
  switch (detail.class) {
    case "":
      return message;
    case "NodeError": {
      if (node === undefined) break;
      const { phase, chunkIndex } = node;
      const error = new NodeError({
        node: node.node,
        phase: phase as NodePhase,
        cause,
        ...(chunkIndex !== undefined && {
          chunkIndex: Number(chunkIndex) + call.chunksBefore(node.node),
        }),
      });
      return withStack(error, { ...detail, stack: stack.replace(message, () => error.message) });
    }
    case "RemoteError": {
      const { retryable, retryAfterMs } = detail;
      return new RemoteError(message, {
        code: call.code,
        retryable,
        cause,
        ...(stack !== "" && { remoteStack: stack }),
        ...(retryAfterMs !== 0 && { retryAfterMs }),
      });
    }
    case "SandboxError":
      return withStack(
        new SandboxError(message, {
          cause,
          reason: detail.sandboxReason as SandboxReason,
          retryable: detail.retryable,
        }),
        detail,
      );
  }
  const type = plainClasses.get(detail.class);
  const error = type === undefined ? new Error(message, options) : new type(message, options);
  return withStack(error, detail);
}

type PlainClass = new (message: string, options: { cause?: unknown }) => Error;

/** Classes that are made of a message and a cause alone. */
const plainClasses: ReadonlyMap<string, PlainClass> = new Map<string, PlainClass>([
  ["PipelineError", PipelineError],
  ["PackagingError", PackagingError],
  ["SerializationError", SerializationError],
  ["ConfigurationError", ConfigurationError],
  ["MediaError", MediaError],
  ["Error", Error],
  ["TypeError", TypeError],
  ["RangeError", RangeError],
  ["SyntaxError", SyntaxError],
  ["ReferenceError", ReferenceError],
]);

/** The error with the far side's stack, and the far side's name where its class is not known here. */
function withStack(error: Error, { class: name, stack }: ErrorDetail): Error {
  const hidden = { enumerable: false, configurable: true, writable: true };
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, ...hidden });
  if (stack !== "") Object.defineProperty(error, "stack", { value: stack, ...hidden });
  return error;
}

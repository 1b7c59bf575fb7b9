import type { ServerDuplexStream, ServerUnaryCall } from "@grpc/grpc-js";
import { SerializationError } from "../../core/errors.ts";

/** A `Stream` call; messages are bytes, as their hot kinds are read and written by hand. */
export type StreamCall = ServerDuplexStream<Uint8Array, Uint8Array>;

/** A unary call; messages are bytes, read by its handler, so that each fault gets its own status. */
export type UnaryCall = ServerUnaryCall<Uint8Array, Uint8Array>;

/** Sends a message; resolves once the connection has taken it. */
export function send(call: StreamCall, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    call.write(message, (error: Error | null | undefined) => error ? reject(error) : resolve());
  });
}

/** What grpc-js has inside of a call: interceptors' calls, and in them the one that writes. */
interface InnerCall {
  nextCall?: InnerCall;
  wantTrailers?: boolean;
  sendMessage(message: unknown, sent: () => void): void;
}

/**
 * Keeps messages back once a call's status is on its way. grpc-js ends a call by itself whose client sends too large a
 * message; one that is written then keeps the status from going out, and the client waits for ever.
 */
export function writeNothingBehindStatus(call: object): void {
  let inner = (call as { call: InnerCall }).call;
  while (inner.nextCall !== undefined) inner = inner.nextCall;
  const write = inner.sendMessage;
  inner.sendMessage = (message, sent) => {
    if (inner.wantTrailers) sent();
    else write.call(inner, message, sent);
  };
}

/** A client that does not hold to the protocol. */
export function protocolError(what: string): SerializationError {
  return new SerializationError(`Cannot go on with session as the client ${what}`);
}

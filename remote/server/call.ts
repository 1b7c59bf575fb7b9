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

/** A client that does not hold to the protocol. */
export function protocolError(what: string): SerializationError {
  return new SerializationError(`Cannot go on with session as the client ${what}`);
}

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { handleUnaryCall, Metadata } from "@grpc/grpc-js";
import { messageOf, PipelineError } from "../../core/errors.ts";
import { failedCall } from "./failed_call.ts";
import { known } from "../wire/messages.ts";
import { malformed } from "../wire/proto_reader.ts";

/** What a unary RPC knows beside its request. */
export interface UnaryContext {
  /** Aborted when the client goes away or its deadline passes. */
  signal: AbortSignal;
  /** What came with the call. */
  metadata: Metadata;
}

/**
 * A unary RPC: reads the request, answers it, and turns whatever is thrown into a status.
 *
 * @param schema the request's type
 * @param answer gives the response as bytes; `signal` is aborted when the client goes away
 */
export function unary<S extends DescMessage>(
  schema: S,
  answer: (request: MessageShape<S>, context: UnaryContext) => Promise<Uint8Array> | Uint8Array,
): handleUnaryCall<Uint8Array, Uint8Array> {
  return unaryBytes((bytes, context) => answer(parse(schema, bytes), context));
}

/** A unary RPC that reads its request itself. */
export function unaryBytes(
  answer: (request: Uint8Array, context: UnaryContext) => Promise<Uint8Array> | Uint8Array,
): handleUnaryCall<Uint8Array, Uint8Array> {
  return async (call, respond) => {
    const controller = new AbortController();
    const { signal } = controller;
    const { metadata } = call;
    call.on("cancelled", () => {
      controller.abort(new PipelineError("The client cancelled the call"));
    });
    try {
      respond(null, await answer(call.request, { signal, metadata }));
    } catch (error) {
      respond(failedCall(error));
    }
  };
}

function parse<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  try {
    return fromBinary(schema, bytes, known);
  } catch (error) {
    throw malformed(messageOf(error), error);
  }
}

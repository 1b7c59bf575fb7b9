import { fromBinary } from "@bufbuild/protobuf";
import type { NodeSpec } from "../../core/executor.ts";
import { messageOf, SerializationError } from "../../core/errors.ts";
import { NodeSpecSchema } from "../../proto/gen/remotemedia/v1/node_pb.ts";
import { readChunk, type ReadOptions, sharing } from "./batch_reader.ts";
import { known, MAX_FIELDS, readSpec } from "./messages.ts";
import { malformed, ProtoReader } from "./proto_reader.ts";

/** An `ExecuteRequest` as it was read. */
export interface ReadExecute {
  /** The version of the protocol that the client speaks. */
  protocolVersion: number;
  /** The nodes. */
  segment: NodeSpec[];
  /** All of the input. */
  chunks: unknown[];
}

/**
 * Reads an `ExecuteRequest`. The generated code would make an object of every two bytes of a hostile one.
 *
 * @throws {SerializationError} if the bytes are no such message, or one past the bounds
 */
export function readExecute(message: Uint8Array, options: ReadOptions = {}): ReadExecute {
  const request: ReadExecute = { protocolVersion: 0, segment: [], chunks: [] };
  const bounds = sharing(options);
  const reader = new ProtoReader(message);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) request.protocolVersion = reader.number();
    else if (field === 2) {
      if (request.segment.length === MAX_FIELDS) throw malformed("it has too many nodes");
      request.segment.push(readNode(reader.bytes()));
    } else if (field === 3) readChunk(request.chunks, reader.message(), bounds);
    else reader.skip();
  }
  return request;
}

function readNode(bytes: Uint8Array): NodeSpec {
  try {
    return readSpec(fromBinary(NodeSpecSchema, bytes, known));
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    throw malformed(messageOf(error), error);
  }
}

import { fromBinary } from "@bufbuild/protobuf";
import type { NodeSpec } from "../../core/executor.ts";
import { messageOf, SerializationError } from "../../core/errors.ts";
import { NodeSpecSchema } from "../../proto/gen/remotemedia/v1/node_pb.ts";
import { readChunk, type ReadOptions, sharing } from "./batch_reader.ts";
import { known, MAX_FIELDS, readSpec } from "./messages.ts";
import { malformed, ProtoReader } from "./proto_reader.ts";

/** What both kinds of requests have. */
interface ReadCall {
  /** The version of the protocol that the client speaks. */
  protocolVersion: number;
  /** All of the input. */
  chunks: unknown[];
}

/** An `ExecuteRequest` as it was read. */
export interface ReadExecute extends ReadCall {
  /** The nodes. */
  segment: NodeSpec[];
}

/** A `RunPipelineRequest` as it was read. */
export interface ReadRunPipeline extends ReadCall {
  /** The address of the pipeline. */
  pipeline: string;
}

/**
 * Reads an `ExecuteRequest`. The generated code would make an object of every two bytes of a hostile one.
 *
 * @throws {SerializationError} if the bytes are no such message, or one past the bounds
 */
export function readExecute(message: Uint8Array, options: ReadOptions = {}): ReadExecute {
  const segment: NodeSpec[] = [];
  const call = readCall(message, options, (reader) => {
    if (segment.length === MAX_FIELDS) throw malformed("it has too many nodes");
    segment.push(readNode(reader.bytes()));
  });
  return { ...call, segment };
}

/**
 * Reads a `RunPipelineRequest`.
 *
 * @throws {SerializationError} if the bytes are no such message, or one past the bounds
 */
export function readRunPipeline(message: Uint8Array, options: ReadOptions = {}): ReadRunPipeline {
  let pipeline = "";
  const call = readCall(message, options, (reader) => {
    pipeline = reader.text();
  });
  return { ...call, pipeline };
}

/** Reads a request; `readTarget` reads its field 2: what the chunks are for. */
function readCall(
  message: Uint8Array,
  options: ReadOptions,
  readTarget: (reader: ProtoReader) => void,
): ReadCall {
  const call: ReadCall = { protocolVersion: 0, chunks: [] };
  const bounds = sharing(options);
  const reader = new ProtoReader(message);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) call.protocolVersion = reader.number();
    else if (field === 2) readTarget(reader);
    else if (field === 3) readChunk(call.chunks, reader.message(), bounds);
    else reader.skip();
  }
  return call;
}

function readNode(bytes: Uint8Array): NodeSpec {
  try {
    return readSpec(fromBinary(NodeSpecSchema, bytes, known));
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    throw malformed(messageOf(error), error);
  }
}

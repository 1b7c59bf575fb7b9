import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { NodeSpec } from "../../core/executor.ts";
import { type Chunk, ChunkSchema } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  StreamRequestSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { readChunk } from "../wire/batch_reader.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { PROTOCOL_VERSION, writeSpec } from "../wire/messages.ts";
import { ProtoReader } from "../wire/proto_reader.ts";

/** The request of `Execute`. @throws {SerializationError} if a chunk or an option cannot travel */
export function writeExecute(specs: readonly NodeSpec[], chunks: Iterable<unknown>): Uint8Array {
  return toBinary(
    ExecuteRequestSchema,
    create(ExecuteRequestSchema, {
      protocolVersion: PROTOCOL_VERSION,
      segment: specs.map(writeSpec),
      chunks: messagesOf(chunks),
    }),
  );
}

/** The outputs in the response of `Execute`. */
export function readOutputs(response: Uint8Array): unknown[] {
  const { chunks: outputs } = fromBinary(ExecuteResponseSchema, response);
  const values: unknown[] = [];
  for (const output of outputs) {
    readChunk(values, new ProtoReader(toBinary(ChunkSchema, output)), { maxChunks: Infinity });
  }
  return values;
}

/** Chunks as the generated code has them. */
function messagesOf(chunks: Iterable<unknown>): Chunk[] {
  const writer = new BatchWriter();
  for (const chunk of chunks) writer.add(chunk);
  const { message } = fromBinary(StreamRequestSchema, writer.finish(1).message);
  return message.case === "chunks" ? message.value.chunks : [];
}

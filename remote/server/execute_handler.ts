import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { ChunkSchema } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  type ExecuteRequest,
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  StreamResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { readChunk } from "../wire/batch_reader.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { readSpec, writeStats } from "../wire/messages.ts";
import { ProtoReader } from "../wire/proto_reader.ts";
import { checkVersion } from "./check_version.ts";
import type { ServerState } from "./server_state.ts";
import { makeNodes, pipelineOf } from "./session_nodes.ts";
import { unary } from "./unary.ts";

/** `Execute`: a segment and all of its input in one call. */
export function executeHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unary(ExecuteRequestSchema, async (request, signal) => {
    checkVersion(request.protocolVersion);
    const release = server.admit("");
    try {
      return await execute(request, { server, signal });
    } finally {
      release();
    }
  });
}

async function execute(
  request: ExecuteRequest,
  { server, signal }: { server: ServerState; signal: AbortSignal },
): Promise<Uint8Array> {
  const pipeline = pipelineOf(makeNodes(request.segment.map(readSpec), server.host));
  const outputs = new BatchWriter();
  for await (const output of pipeline.run(inputsOf(request, server) as never[], { signal })) {
    outputs.add(output);
    server.checkResponseSize(outputs.size);
  }
  const { message } = fromBinary(StreamResponseSchema, outputs.finish(1).message);
  const chunks = message.case === "chunks" ? message.value.chunks : [];
  const stats = pipeline.stats().map(writeStats);
  return toBinary(ExecuteResponseSchema, create(ExecuteResponseSchema, { chunks, stats }));
}

function inputsOf({ chunks }: ExecuteRequest, { readOptions }: ServerState): unknown[] {
  const inputs: unknown[] = [];
  for (const chunk of chunks) {
    readChunk(inputs, new ProtoReader(toBinary(ChunkSchema, chunk)), readOptions);
  }
  return inputs;
}

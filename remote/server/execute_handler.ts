import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type handleUnaryCall, status } from "@grpc/grpc-js";
import {
  ExecuteResponseSchema,
  StreamResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { type ReadExecute, readExecute } from "../wire/execute_request.ts";
import { writeStats } from "../wire/messages.ts";
import { statusOf } from "../wire/errors.ts";
import { CallSpan, within } from "../wire/tracing.ts";
import type { Caller } from "./access.ts";
import type { CallerUsage } from "./usage.ts";
import { checkVersion } from "./check_version.ts";
import type { ServerState } from "./server_state.ts";
import { makeNodes, pipelineOf } from "./session_nodes.ts";
import { unaryBytes } from "./unary.ts";

/** `Execute`: a segment and all of its input in one call. */
export function executeHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unaryBytes(async (bytes, { signal, metadata }) => {
    const request = readExecute(bytes, server.readOptions);
    checkVersion(request.protocolVersion);
    const caller = server.settings.access.callerOf(metadata);
    const { usage, release } = await server.admit(caller, "");
    const span = CallSpan.ofServer("Execute", { "remotemedia.caller": caller.name }, metadata);
    try {
      const call = { server, caller, usage, signal, span };
      const response = await within(span.context, () => execute(request, call));
      span.end();
      return response;
    } catch (error) {
      span.end(error);
      server.settings.metrics.failed(status[statusOf(error).code]!);
      throw error;
    } finally {
      release();
    }
  });
}

async function execute(
  { segment, chunks: inputs }: ReadExecute,
  { server, caller, usage, signal, span }: {
    server: ServerState;
    caller: Caller;
    usage: CallerUsage;
    signal: AbortSignal;
    span: CallSpan;
  },
): Promise<Uint8Array> {
  const pipeline = pipelineOf(makeNodes(segment, { host: server.settings.host, caller }));
  const outputs = new BatchWriter();
  let failure: unknown;
  try {
    for await (const output of pipeline.run(inputs as never[], { signal })) {
      outputs.add(output);
      server.checkResponseSize(outputs.size);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const told = pipeline.stats();
    server.settings.metrics.nodes([], told);
    span.nodes(told, failure);
  }
  const { message } = fromBinary(StreamResponseSchema, outputs.finish(1).message);
  const chunks = message.case === "chunks" ? message.value.chunks : [];
  const told = pipeline.stats();
  await usage.addCpu(told.reduce((sum, { busyMs }) => sum + busyMs, 0));
  const stats = told.map(writeStats);
  return toBinary(ExecuteResponseSchema, create(ExecuteResponseSchema, { chunks, stats }));
}

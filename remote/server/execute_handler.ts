import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import type { Chunk } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  ExecuteResponseSchema,
  StreamResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import type { AnyNode } from "../../core/node.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { readExecute } from "../wire/execute_request.ts";
import { writeStats } from "../wire/messages.ts";
import { CallSpan, within } from "../wire/tracing.ts";
import type { Caller } from "./access.ts";
import type { CallerUsage } from "./usage.ts";
import { checkVersion } from "./check_version.ts";
import type { ServerState } from "./server_state.ts";
import { busyMsOf, makeNodes, pipelineOf } from "./session_nodes.ts";
import { unaryBytes, type UnaryContext } from "./unary.ts";

/** `Execute`: a segment and all of its input in one call. */
export function executeHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unaryBytes(async (bytes, context) => {
    const { protocolVersion, segment, chunks } = readExecute(bytes, server.readOptions);
    checkVersion(protocolVersion);
    const { host } = server.settings;
    const outputs = await runCall("Execute", {
      chunks,
      server,
      context,
      nodesFor: (caller) => makeNodes(segment, { host, caller }),
    });
    return toBinary(ExecuteResponseSchema, create(ExecuteResponseSchema, outputs));
  });
}

/** A unary call that runs nodes. */
export interface NodesCall {
  /** All of the input. */
  chunks: readonly unknown[];
  server: ServerState;
  context: UnaryContext;
  /** Makes the nodes, once there is a place for them. */
  nodesFor(caller: Caller): AnyNode[];
}

/** All of the output, as messages have it. */
export interface CallOutputs {
  chunks: Chunk[];
  stats: ReturnType<typeof writeStats>[];
}

/** Runs the nodes of a unary call: takes a place, counts what they do, and tells of it in a span. */
export async function runCall(method: string, call: NodesCall): Promise<CallOutputs> {
  const { server, context } = call;
  const { metadata } = context;
  const caller = server.settings.access.callerOf(metadata);
  const span = CallSpan.ofServer(method, { "remotemedia.caller": caller.name }, metadata);
  let release = () => {};
  try {
    const admission = await server.admit(caller, "");
    release = admission.release;
    const { usage } = admission;
    const outputs = await within(span.context, () => execute(call, { caller, usage, span }));
    span.end();
    return outputs;
  } catch (error) {
    span.end(error);
    if (!context.signal.aborted) server.settings.metrics.failed(error); // else nobody is there to whom it failed
    throw error;
  } finally {
    release();
  }
}

async function execute(
  { chunks: inputs, server, context: { signal }, nodesFor }: NodesCall,
  { caller, usage, span }: { caller: Caller; usage: CallerUsage; span: CallSpan },
): Promise<CallOutputs> {
  let sandboxMs = 0;
  const nodes = nodesFor({ ...caller, onCpu: (ms) => void (sandboxMs += ms) });
  const pipeline = pipelineOf(nodes);
  const charge = async () => await usage.addCpu(busyMsOf(nodes, pipeline.stats()) + sandboxMs);
  const outputs = new BatchWriter();
  let failure: unknown;
  try {
    for await (const output of pipeline.run(inputs as never[], { signal })) {
      outputs.add(output);
      server.checkResponseSize(outputs.size);
    }
  } catch (error) {
    failure = error;
    await charge().catch(() => {}); // the call has failed already: the next one is refused
    throw error;
  } finally {
    const told = pipeline.stats();
    server.settings.metrics.nodes([], told);
    span.nodes(told, failure);
  }
  const { message } = fromBinary(StreamResponseSchema, outputs.finish(1).message);
  const chunks = message.case === "chunks" ? message.value.chunks : [];
  const told = pipeline.stats();
  await charge();
  return { chunks, stats: told.map(writeStats) };
}

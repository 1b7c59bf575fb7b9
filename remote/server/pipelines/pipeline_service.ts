import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import * as pb from "../../../proto/gen/remotemedia/v1/pipeline_service_pb.ts";
import { RemoteError } from "../../../core/errors.ts";
import { readRunPipeline } from "../../wire/execute_request.ts";
import type { Caller } from "../access.ts";
import { checkVersion } from "../check_version.ts";
import { definitionOf } from "../definition.ts";
import { runCall } from "../execute_handler.ts";
import type { ServerState } from "../server_state.ts";
import { unary, unaryBytes } from "../unary.ts";
import type { StoredPipeline } from "./pipeline_store.ts";
import type { PipelineRun, Pipelines } from "./pipelines.ts";
import { status } from "../../wire/grpc_status.ts";

/** The RPCs of `PipelineService`, for grpc-js. */
export const pipelineService: ServiceDefinition = definitionOf(pb.PipelineService);

/** The server's registry. @throws {RemoteError} FAILED_PRECONDITION, if it has none */
export function pipelinesOf({ settings }: ServerState): Pipelines {
  if (settings.pipelines !== undefined) return settings.pipelines;
  throw new RemoteError(
    "Cannot use pipelines as this server keeps none: start it with --pipelines FILE",
    { code: status.FAILED_PRECONDITION },
  );
}

/** One handler an RPC. */
export function pipelineHandlers(server: ServerState): UntypedServiceImplementation {
  const { access } = server.settings;
  return {
    registerPipeline: unary(pb.RegisterPipelineRequestSchema, async (request, { metadata }) => {
      const caller = access.callerOf(metadata);
      const { pipeline, created } = await pipelinesOf(server).register(request.manifest, {
        caller,
        isPublic: request.public,
      });
      return bytesOf(pb.RegisterPipelineResponseSchema, { pipeline: messageOf(pipeline), created });
    }),
    listPipelines: unary(pb.ListPipelinesRequestSchema, ({ name }, { metadata }) => {
      const pipelines = pipelinesOf(server).list(access.callerOf(metadata), name).map(messageOf);
      return bytesOf(pb.ListPipelinesResponseSchema, { pipelines });
    }),
    getPipeline: unary(pb.GetPipelineRequestSchema, (request, { metadata }) => {
      const found = pipelinesOf(server).get(request.pipeline, access.callerOf(metadata));
      const { pipeline, manifest } = found;
      return bytesOf(pb.GetPipelineResponseSchema, { pipeline: messageOf(pipeline), manifest });
    }),
    unregisterPipeline: unary(pb.UnregisterPipelineRequestSchema, (request, { metadata }) => {
      const caller = access.callerOf(metadata);
      const versions = pipelinesOf(server).unregister(request.pipeline, caller);
      return bytesOf(pb.UnregisterPipelineResponseSchema, { versions });
    }),
    runPipeline: unaryBytes(async (bytes, context) => {
      const { protocolVersion, pipeline, chunks } = readRunPipeline(bytes, server.readOptions);
      checkVersion(protocolVersion);
      const pipelines = pipelinesOf(server);
      let run: PipelineRun | undefined;
      try {
        const nodesFor = (caller: Caller) => (run = pipelines.open(pipeline, { caller })).nodes;
        const call = { chunks, server, context, nodesFor };
        const outputs = await runCall("PipelineService/RunPipeline", call);
        return bytesOf(pb.RunPipelineResponseSchema, { ...outputs, pipeline: run!.address });
      } catch (error) {
        if (!context.signal.aborted) run?.failed(error);
        throw error;
      }
    }),
  };
}

function bytesOf<S extends DescMessage>(schema: S, init: MessageInitShape<S>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

function messageOf(pipeline: StoredPipeline): MessageInitShape<typeof pb.PipelineVersionSchema> {
  const { name, version, owner, description, lastError } = pipeline;
  return {
    name,
    version,
    owner,
    description,
    lastError,
    public: pipeline.isPublic,
    newest: pipeline.isNewest,
    registeredMs: BigInt(pipeline.registeredMs),
    runs: BigInt(pipeline.runs),
    errors: BigInt(pipeline.errors),
    lastRunMs: BigInt(pipeline.lastRunMs),
  };
}

import { create, toBinary } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { z } from "zod";
import type { AnyNode, NodeClass } from "../../core/node.ts";
import {
  ListNodesRequestSchema,
  ListNodesResponseSchema,
  ResumeMode,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { mayUse } from "./access.ts";
import type { ServerState } from "./server_state.ts";
import { unary } from "./unary.ts";

/** `ListNodes`: the types that the caller may use, with the schemas of their options. */
export function listNodesHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unary(ListNodesRequestSchema, (_request, { metadata }) => {
    const { host: { registry }, access } = server.settings;
    const { policy } = access.callerOf(metadata);
    const types = registry.types.filter((type) => mayUse(policy, registry.get(type)!));
    const nodes = types.map((type) => {
      const nodeClass = registry.get(type)!;
      return { type, optionsSchema: schemaOf(nodeClass), resumeMode: modeOf(nodeClass) };
    });
    return toBinary(ListNodesResponseSchema, create(ListNodesResponseSchema, { nodes }));
  });
}

function schemaOf({ options }: NodeClass): string {
  if (options === undefined) return "";
  return JSON.stringify(
    z.toJSONSchema(options as z.ZodType, { io: "input", unrepresentable: "any" }),
  );
}

function modeOf(nodeClass: NodeClass): ResumeMode {
  const { snapshot, restore } = (nodeClass as unknown as { prototype: AnyNode }).prototype;
  if (snapshot !== undefined && restore !== undefined) return ResumeMode.SNAPSHOT;
  return nodeClass.stateless === true ? ResumeMode.REPLAY : ResumeMode.NONE;
}

import { create, toBinary } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import denoJson from "../../deno.json" with { type: "json" };
import {
  GetStatusRequestSchema,
  GetStatusResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";
import type { ServerState } from "./server_state.ts";
import { unary } from "./unary.ts";

/** `GetStatus`: how the server does. */
export function getStatusHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unary(GetStatusRequestSchema, async () => {
    const { sessions, reserved, rssBytes, cpuMs, uptimeMs } = await server.settings.places.load();
    const response = create(GetStatusResponseSchema, {
      protocolVersion: PROTOCOL_VERSION,
      version: denoJson.version,
      sessions,
      maxSessions: server.settings.maxSessions,
      reserved,
      draining: server.draining,
      rssBytes: BigInt(rssBytes),
      uptimeMs: BigInt(Math.round(uptimeMs)),
      cpuMs: BigInt(Math.round(cpuMs)),
    });
    return toBinary(GetStatusResponseSchema, response);
  });
}

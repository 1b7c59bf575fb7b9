import { create, toBinary } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import {
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { aboutToEnd } from "./places.ts";
import type { ServerState } from "./server_state.ts";
import { unary } from "./unary.ts";

/** The longest that a place is kept, in ms. */
const MAX_TTL = 30_000;

/** `Reserve`: keeps a place for one session. */
export function reserveHandler(server: ServerState): handleUnaryCall<Uint8Array, Uint8Array> {
  return unary(ReserveRequestSchema, async (request, { metadata }) => {
    const { access, places, maxSessions } = server.settings;
    const ttlMs = request.ttlMs === 0 ? MAX_TTL : Math.min(request.ttlMs, MAX_TTL);
    if (server.draining) throw aboutToEnd();
    const { reservation, inUse } = await places.reserve(access.callerOf(metadata), ttlMs);
    const response = create(ReserveResponseSchema, {
      reservation,
      ttlMs,
      inUse,
      capacity: maxSessions,
    });
    return toBinary(ReserveResponseSchema, response);
  });
}

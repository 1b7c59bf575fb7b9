import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { RemoteError } from "../../core/errors.ts";
import {
  GetStatusRequestSchema,
  type GetStatusResponse,
  GetStatusResponseSchema,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import type { Endpoint } from "./endpoint.ts";

/** How long a server is given to answer a question about its load, in ms. */
const PROBE_MS = 2_000;

/** How long a place is kept until the session opens, in ms. */
const RESERVE_MS = 10_000;

/** An endpoint, and the place that it keeps. */
export interface Placed {
  endpoint: Endpoint;
  /** Empty where there is only one endpoint: opening the session takes the place itself. */
  reservation: string;
}

/** Asks an endpoint how it does. */
export async function statusOfEndpoint(
  endpoint: Endpoint,
  signal?: AbortSignal,
): Promise<GetStatusResponse> {
  const request = toBinary(GetStatusRequestSchema, create(GetStatusRequestSchema));
  const deadline = Date.now() + PROBE_MS;
  const response = await endpoint.unary("getStatus", request, { deadline, signal });
  return fromBinary(GetStatusResponseSchema, response);
}

/**
 * Finds a place for a session: asks all endpoints that are worth a try for their load, and the least
 * loaded first to keep a place; one that is full, or dies meanwhile, is passed over for the next.
 *
 * @throws the last refusal, if nobody has a place
 */
export async function place(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<Placed> {
  const [only] = endpoints;
  if (endpoints.length === 1) return { endpoint: only!, reservation: "" };
  let refusal: unknown = new RemoteError("Cannot reach any server: all failed a moment ago", {
    code: status.UNAVAILABLE,
    retryable: true,
  });
  const told = await Promise.all(endpoints.map(async (endpoint) => {
    if (endpoint.breaker.isOpen()) return undefined;
    try {
      const { sessions, reserved, maxSessions } = await statusOfEndpoint(endpoint, signal);
      return { endpoint, load: (sessions + reserved) / Math.max(1, maxSessions) };
    } catch (error) {
      endpoint.breaker.fail();
      refusal = error;
      return undefined;
    }
  }));
  const candidates = told.filter((candidate) => candidate !== undefined)
    .sort((a, b) => a.load - b.load || Math.random() - 0.5);
  for (const { endpoint } of candidates) {
    try {
      return { endpoint, reservation: await reserve(endpoint, signal) };
    } catch (error) {
      if (signal.aborted) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function reserve(endpoint: Endpoint, signal: AbortSignal): Promise<string> {
  const request = toBinary(
    ReserveRequestSchema,
    create(ReserveRequestSchema, { ttlMs: RESERVE_MS }),
  );
  const deadline = Date.now() + PROBE_MS;
  const response = await endpoint.unary("reserve", request, { deadline, signal });
  return fromBinary(ReserveResponseSchema, response).reservation;
}

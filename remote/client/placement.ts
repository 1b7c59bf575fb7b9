import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { RemoteError } from "../../core/errors.ts";
import {
  GetStatusRequestSchema,
  type GetStatusResponse,
  GetStatusResponseSchema,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { status } from "../wire/grpc_status.ts";
import type { Endpoint } from "./endpoint.ts";

/** How long a server is given to answer a question about its load, where there are others, in ms. */
export const PROBE_MS = 2_000;

/** How long the other servers are given once one has answered, in ms. */
const OTHERS_MS = 200;

/** How long a place is kept until the session opens, in ms. */
const RESERVE_MS = 10_000;

/** An endpoint, and the place that it keeps. */
export interface Placed {
  endpoint: Endpoint;
  /** Empty where there is only one endpoint: opening the session takes the place itself. */
  reservation: string;
}

/** What ends the search for a place. */
export interface PlaceLimits {
  signal?: AbortSignal;
  /** When the session must be over, in ms since 1970. */
  deadline?: number | undefined;
}

/** Asks an endpoint how it does. */
export async function statusOfEndpoint(
  endpoint: Endpoint,
  signal?: AbortSignal,
): Promise<GetStatusResponse> {
  const request = toBinary(GetStatusRequestSchema, create(GetStatusRequestSchema));
  const response = await ask(endpoint, "getStatus", { request, signal });
  return fromBinary(GetStatusResponseSchema, response);
}

/** Asks a server; one that does not answer soon counts as one that cannot be reached. */
async function ask(
  endpoint: Endpoint,
  method: "getStatus" | "reserve",
  { request, signal }: { request: Uint8Array; signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const deadline = Date.now() + PROBE_MS;
  try {
    return await endpoint.unary(method, request, { deadline, signal });
  } catch (error) {
    if (!(error instanceof RemoteError) || error.code !== status.DEADLINE_EXCEEDED) throw error;
    throw new RemoteError(
      `Cannot reach a server at ${endpoint.where}: it does not answer within ${PROBE_MS} ms`,
      { code: status.UNAVAILABLE, retryable: true, cause: error },
    );
  }
}

/** An endpoint that answered, and how full it is. */
interface Candidate {
  endpoint: Endpoint;
  load: number;
}

/**
 * Finds a place for a session: asks all endpoints that are worth a try for their load, and the least
 * loaded first to keep a place; one that is full, or dies meanwhile, is passed over for the next. Endpoints
 * that do not answer are not waited for while others have a place.
 *
 * @throws the last refusal, if nobody has a place
 */
export async function place(
  endpoints: readonly Endpoint[],
  { signal, deadline }: PlaceLimits,
): Promise<Placed> {
  const [only] = endpoints;
  if (endpoints.length === 1) {
    await only!.connect({ signal, deadline });
    return { endpoint: only!, reservation: "" };
  }
  let refusal: unknown;
  const answered: Candidate[] = [];
  const tried = new Set<Endpoint>();
  const first = Promise.withResolvers<void>();
  const all = Promise.all(
    worthATry(endpoints).map(async (endpoint) => {
      try {
        const { sessions, reserved, maxSessions } = await statusOfEndpoint(endpoint, signal);
        answered.push({ endpoint, load: (sessions + reserved) / Math.max(1, maxSessions) });
        first.resolve();
      } catch (error) {
        reportFailure(endpoint, error);
        refusal = error;
      }
    }),
  );
  await Promise.race([all, first.promise.then(() => within(OTHERS_MS, all))]);
  while (true) {
    const candidates = answered.filter(({ endpoint }) => !tried.has(endpoint))
      .sort((a, b) => a.load - b.load || Math.random() - 0.5);
    for (const { endpoint } of candidates) {
      tried.add(endpoint);
      try {
        return { endpoint, reservation: await reserve(endpoint, signal) };
      } catch (error) {
        if (signal?.aborted) throw error;
        refusal = error;
      }
    }
    await all;
    if (answered.every(({ endpoint }) => tried.has(endpoint))) throw refusal;
  }
}

/** Those that did not fail a moment ago; all, if there are no others: one of them may be back. */
export function worthATry(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const worthy = endpoints.filter(({ breaker }) => !breaker.isOpen());
  return worthy.length > 0 ? worthy : endpoints;
}

/** Counts a failure that says that the server cannot be reached; others are no fault of it. */
export function reportFailure({ breaker }: Endpoint, error: unknown): void {
  if (error instanceof RemoteError && error.code === status.UNAVAILABLE) breaker.fail();
}

/** Resolves with a promise, or after some time. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const elapsed = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([promise, elapsed]);
  clearTimeout(timer);
}

async function reserve(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<string> {
  const request = toBinary(
    ReserveRequestSchema,
    create(ReserveRequestSchema, { ttlMs: RESERVE_MS }),
  );
  const response = await ask(endpoint, "reserve", { request, signal });
  return fromBinary(ReserveResponseSchema, response).reservation;
}

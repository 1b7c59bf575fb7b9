import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { Metadata } from "@grpc/grpc-js";
import denoJson from "../../deno.json" with { type: "json" };
import { messageOf, NodeError } from "../../core/errors.ts";
import type { NodeStats } from "../../core/stats.ts";
import { statusOf } from "./errors.ts";
import { status, statusName } from "./grpc_status.ts";

/** A W3C `traceparent`: version, trace, span, flags. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Codes that are the server's own fault: only these make an error of its span. */
const serverFaults: ReadonlySet<number> = new Set<number>([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** The tracer of this library: it does nothing until the application registers a provider. */
function tracer(): Tracer {
  return trace.getTracer(denoJson.name, denoJson.version);
}

/** The span of a session or call, at one end of it. Its attributes are OpenTelemetry's for RPC. */
export class CallSpan {
  /** The context in which its work belongs. */
  readonly context: Context;
  readonly #span: Span;
  readonly #isServer: boolean;
  readonly #startTime = Date.now();
  #isEnded = false;

  private constructor(
    method: string,
    { parent, isServer, attributes }: {
      parent: Context;
      isServer: boolean;
      attributes: Attributes;
    },
  ) {
    const name = `remotemedia.v1.${method.includes("/") ? method : `ExecutionService/${method}`}`;
    this.#isServer = isServer;
    this.#span = tracer().startSpan(name, {
      kind: isServer ? SpanKind.SERVER : SpanKind.CLIENT,
      startTime: this.#startTime,
      attributes: { "rpc.system.name": "grpc", "rpc.method": name, ...attributes },
    }, parent);
    this.context = trace.setSpan(parent, this.#span);
  }

  /** A client's, below the span that is active. */
  static ofClient(method: string, attributes: Attributes, parent: Context): CallSpan {
    return new CallSpan(method, { parent, isServer: false, attributes });
  }

  /** A server's, below the client's that the call's metadata name. */
  static ofServer(method: string, attributes: Attributes, metadata: Metadata): CallSpan {
    return new CallSpan(method, { parent: contextOf(metadata), isServer: true, attributes });
  }

  /** Puts the span's name into a call's metadata, for the other end; nothing where nobody traces. */
  inject(metadata: Metadata): void {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    if (!isSpanContextValid({ traceId, spanId, traceFlags })) return;
    const flags = traceFlags.toString(16).padStart(2, "0");
    metadata.set("traceparent", `00-${traceId}-${spanId}-${flags}`);
    const state = traceState?.serialize();
    if (state) metadata.set("tracestate", state);
  }

  /** Something happened. */
  event(name: string, attributes: Attributes): void {
    this.#span.addEvent(name, attributes);
  }

  /** More about it. */
  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  /** Ends it, the first time that it is called. @param error what the call failed with */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const code = error === undefined ? status.OK : statusOf(error).code;
    this.#span.setAttribute("rpc.response.status_code", statusName(code)!);
    if (error !== undefined) {
      this.#span.recordException(exceptionOf(error));
      if (!this.#isServer || serverFaults.has(code)) {
        this.#span.setAttribute("error.type", statusName(code)!);
        this.#span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
      }
    }
    this.#span.end();
  }

  /** One span for each node, below this one, as long as it, with what the node did. To be called before the end. */
  nodes(stats: readonly NodeStats[], error?: unknown): void {
    if (!this.#span.isRecording()) return;
    for (const { name, type, in: taken, out, dropped, errors, busyMs, latency } of stats) {
      const span = tracer().startSpan(`${name} process`, {
        startTime: this.#startTime,
        attributes: {
          "remotemedia.node.name": name,
          "remotemedia.node.type": type,
          "remotemedia.node.chunks.in": taken,
          "remotemedia.node.chunks.out": out,
          "remotemedia.node.chunks.dropped": dropped,
          "remotemedia.node.errors": errors,
          "remotemedia.node.busy_ms": busyMs,
          "remotemedia.node.latency_p99_ms": latency.p99,
        },
      }, this.context);
      if (error instanceof NodeError && error.node === name) {
        span.recordException(exceptionOf(error));
        span.setAttribute("error.type", error.cause instanceof Error ? error.cause.name : "Error");
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    }
  }
}

/** The span that is active where a caller is. */
export function activeContext(): Context {
  return context.active();
}

/** Runs work in a context, so that spans that it starts belong there. */
export function within<T>(where: Context, work: () => T): T {
  return context.with(where, work);
}

/** What a client said of its span. */
function contextOf(metadata: Metadata): Context {
  const [header] = metadata.get("traceparent");
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(String(header ?? "")) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) {
    return ROOT_CONTEXT;
  }
  const remote = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: parseInt(flags!, 16),
    isRemote: true,
  };
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
}

function exceptionOf(error: unknown): Error | string {
  return error instanceof Error ? error : String(error);
}

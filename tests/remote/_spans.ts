import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** A span, as far as tests look at it. */
export interface ToldSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentId: string | undefined;
  attributes: Record<string, unknown>;
  status: number;
  events: string[];
}

/** Registers OpenTelemetry's own SDK in this process, and gives what it collected. */
export function collectSpans(): () => ToldSpan[] {
  const exporter = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }));
  return () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      kind: span.kind,
      ...span.spanContext(),
      parentId: span.parentSpanContext?.spanId,
      attributes: { ...span.attributes },
      status: span.status.code,
      events: span.events.map(({ name }) => name),
    }));
}

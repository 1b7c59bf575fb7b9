import assert from "node:assert/strict";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { Metadata } from "@grpc/grpc-js";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { CallSpan } from "../../remote/wire/tracing.ts";
import { FailOn, SlowDouble, Total } from "./_nodes.ts";
import { startPair } from "./_server.ts";
import { startCommand } from "./_workers.ts";
import { collectSpans, type ToldSpan } from "./_spans.ts";

const STREAM = "remotemedia.v1.ExecutionService/Stream";

/** A traced server in a process of its own. */
async function startTraced(): Promise<
  { port: number; spans(): Promise<ToldSpan[]> } & AsyncDisposable
> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./_traced_child.ts", import.meta.url).href],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = child.stdin.getWriter();
  const line = async () => {
    let text = "";
    while (!text.endsWith("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The traced server ended");
      text += value;
    }
    return text;
  };
  const port = Number(await line());
  return {
    port,
    async spans() {
      await writer.write(new TextEncoder().encode("spans\n"));
      return JSON.parse(await line());
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await child.status;
      await reader.cancel();
    },
  };
}

Deno.test("RemoteExecutor sends no trace where nobody traces", async () => {
  const span = CallSpan.ofClient("Stream", {}, ROOT_CONTEXT);
  const metadata = new Metadata();
  span.inject(metadata);
  assert.deepEqual(metadata.getMap(), {});
  await using pair = await startPair({ server: { userCode: false } });
  assert.deepEqual(await Array.fromAsync(new Pipeline([new PassThrough({}, pair)]).run([1])), [1]);
});

Deno.test("RemoteExecutor and server tell one trace: client, server, nodes", async () => {
  const here = collectSpans();
  await using server = await startTraced();
  const tracer = trace.getTracer("test");
  await tracer.startActiveSpan("user", async (user) => {
    await using executor = new RemoteExecutor({ port: server.port, retry: false });
    const line = new Pipeline([
      new SlowDouble({}, { name: "first", executor }),
      new Total({}, { executor }),
    ]);
    assert.deepEqual(await Array.fromAsync(line.run([1, 2, 3])), [12]);
    await executor.execute([new PassThrough()], [1]);
    const failing = new Pipeline([new FailOn({ number: 2 }, { name: "strict", executor })]);
    await assert.rejects(() => Array.fromAsync(failing.run([1, 2])));
    user.end();
  });
  const [well, unary, failed] = here().filter(({ kind }) => kind === SpanKind.CLIENT);
  const user = here().find(({ name }) => name === "user")!;
  const there = await server.spans();
  assert.equal(new Set([...here(), ...there].map(({ traceId }) => traceId)).size, 1);
  const below = ({ spanId }: ToldSpan) => there.filter(({ parentId }) => parentId === spanId);

  assert.equal(well!.name, STREAM);
  assert.equal(well!.parentId, user.spanId);
  assert.equal(well!.attributes["rpc.system.name"], "grpc");
  assert.equal(well!.attributes["rpc.method"], STREAM);
  assert.equal(well!.attributes["rpc.response.status_code"], "OK");
  assert.equal(well!.attributes["server.address"], "127.0.0.1");
  assert.equal(well!.attributes["server.port"], server.port);
  const [served, ...others] = below(well!);
  assert.deepEqual(others, []);
  assert.equal(served!.kind, SpanKind.SERVER);
  assert.equal(served!.attributes["rpc.response.status_code"], "OK");
  assert.match(String(served!.attributes["remotemedia.session.id"]), /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    below(served!).map(({ name, attributes }) => [
      name,
      attributes["remotemedia.node.type"],
      attributes["remotemedia.node.chunks.in"],
      attributes["remotemedia.node.chunks.out"],
    ]),
    [["first process", "SlowDouble", 3, 3], ["Total process", "Total", 3, 1]],
  );

  const [execute] = below(unary!);
  assert.equal(execute!.name, "remotemedia.v1.ExecutionService/Execute");
  assert.equal(below(execute!).length, 1);

  assert.equal(failed!.status, SpanStatusCode.ERROR);
  assert.deepEqual(failed!.events, ["exception"]);
  const [serverFailed] = below(failed!);
  assert.equal(serverFailed!.attributes["rpc.response.status_code"], "UNKNOWN");
  assert.equal(serverFailed!.status, SpanStatusCode.ERROR);
  const [node] = below(serverFailed!);
  assert.equal(node!.name, "strict process");
  assert.equal(node!.attributes["error.type"], "RangeError");
  assert.equal(node!.status, SpanStatusCode.ERROR);
});

Deno.test("CallSpan takes no traceparent that is not well formed", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  const span = "b7ad6b7169203331";
  for (
    const [header, taken] of [
      [`00-${id}-${span}-01`, true],
      [`01-${id}-${span}-01-more`, true],
      [`00-${id}-${span}-01-more`, false],
      [`ff-${id}-${span}-01`, false],
      [`00-${"0".repeat(32)}-${span}-01`, false],
      [`00-${id}-${"0".repeat(16)}-01`, false],
      [`00-${id.toUpperCase()}-${span}-01`, false],
      ["", false],
    ] as const
  ) {
    const metadata = new Metadata();
    metadata.set("traceparent", header);
    const given = new Metadata();
    CallSpan.ofServer("Stream", {}, metadata).inject(given);
    const told = String(given.get("traceparent")[0] ?? "");
    assert.equal(told.includes(id), taken, header);
  }
});

Deno.test("A server's spans go out by Deno's own OTLP exporter", async () => {
  const bodies: string[] = [];
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (new URL(request.url).pathname === "/v1/traces") bodies.push(await request.text());
      return Response.json({});
    },
  );
  {
    await using server = await startCommand([], {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "executor",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    });
    await using executor = new RemoteExecutor({ port: server.port });
    await Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([1]));
  } // what is left is sent as it ends
  const text = bodies.join("\n");
  for (const word of [STREAM, "PassThrough process", "rpc.system.name", "executor"]) {
    assert.ok(text.includes(word), `nothing was told of ${word}`);
  }
});

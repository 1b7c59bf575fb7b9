/**
 * Runs inside of what stands for the container: starts the server by the image's own command, asks for its
 * health by the image's own check, and uses it. Prints what went how, as JSON.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ExecuteRequestSchema,
  ExecuteResponseSchema,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import {
  AudioFilter,
  AudioFrame,
  PassThrough,
  Pipeline,
  RemoteExecutor,
  VoiceActivityDetector,
} from "../../mod.ts";
import { openBundle } from "../../packaging/open_bundle.ts";
import { Endpoint } from "../../remote/client/endpoint.ts";
import { checkOptions } from "../../remote/client/options.ts";
import { BundleUploads } from "../../remote/objects/bundle_uploads.ts";
import { BUNDLE, writeSpec } from "../../remote/wire/messages.ts";

const { command, health, port, token, type, only } = JSON.parse(Deno.args[0]!) as {
  command: string[];
  health: string[];
  port: number;
  token: string;
  /** The class in the bundle. */
  type: string;
  /** The one step to take beside the start. */
  only?: string;
};
const options = { port, token, tls: false, retry: false } as const;

const [program, ...args] = command;
const server = new Deno.Command(program!, { args, stdout: "piped", stderr: "piped" }).spawn();
const said = Promise.all([server.stdout, server.stderr].map((out) => new Response(out).text()));
const isHealthy = async () => {
  const [program, ...args] = health;
  return (await new Deno.Command(program!, { args, stderr: "null" }).output()).success;
};

async function start(): Promise<void> {
  const over = server.status.then(() => true);
  const until = Date.now() + 60_000;
  while (!await listens()) {
    const pause = new Promise<boolean>((resolve) => setTimeout(resolve, 50, false));
    if (await Promise.race([over, pause])) throw new Error("the server ended");
    if (Date.now() > until) throw new Error("the server never listened");
  }
  if (!await isHealthy()) throw new Error("the health check fails");
}

async function listens(): Promise<boolean> {
  try {
    (await Deno.connect({ port: 8080 })).close();
    return true;
  } catch {
    return false;
  }
}

async function execute(): Promise<void> {
  await using executor = new RemoteExecutor(options);
  equal(await executor.execute([new PassThrough()], [1, "two"]), [1, "two"]);
}

async function streamFfmpeg(): Promise<void> {
  await using executor = new RemoteExecutor(options);
  const half = new AudioFilter({ graph: "volume=0.5" }, { executor });
  const outputs = await Array.fromAsync(new Pipeline([half]).run([tone(), tone()]));
  equal(Math.max(...outputs.flatMap(({ data }) => [...data])), 0.5);
}

async function streamModel(): Promise<void> {
  await using executor = new RemoteExecutor(options);
  const node = new VoiceActivityDetector({ emit: "annotate" }, { executor });
  equal((await Array.fromAsync(new Pipeline([node]).run([tone()]))).length > 0, true);
}

async function sandbox(): Promise<void> {
  const bytes = await Deno.readFile("_bundle.rmb");
  const bundle = await openBundle(bytes);
  const endpoint = new Endpoint(options, checkOptions(options));
  await new BundleUploads().bring([bundle], endpoint);
  const spec = { name: "mine", type, options: {}, module: BUNDLE + bundle.digest };
  const chunks = [{
    kind: { case: "values" as const, value: { count: 1, packed: new Uint8Array([21]) } },
  }];
  const request = create(ExecuteRequestSchema, {
    protocolVersion: 1,
    segment: [writeSpec(spec)],
    chunks,
  });
  const response = await endpoint.unary("execute", toBinary(ExecuteRequestSchema, request));
  endpoint.close();
  const [output] = fromBinary(ExecuteResponseSchema, response).chunks;
  equal(output?.kind.case === "values" && [...output.kind.value.packed], [42]);
}

function tone(): AudioFrame {
  const data = Float32Array.from({ length: 1_600 }, (_, index) => index % 2 === 0 ? 1 : -1);
  return new AudioFrame({ data, sampleRate: 16_000 });
}

function equal(given: unknown, wanted: unknown): void {
  const [a, b] = [given, wanted].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a} is not ${b}`);
}

const results: Record<string, string> = {};
const all = [start, execute, streamFfmpeg, streamModel, sandbox];
for (const step of all.filter(({ name }) => name === "start" || (only ?? name) === name)) {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it took longer than 60 s")), 60_000);
  try {
    await Promise.race([step(), late.promise]);
    results[step.name] = "ok";
  } catch (error) {
    results[step.name] = String(error);
    if (step === start) break;
  } finally {
    clearTimeout(timer);
  }
}
try {
  server.kill("SIGTERM");
} catch {
  // it is gone already
}
const { code } = await server.status;
const [stdout, stderr] = await said;
console.log(JSON.stringify({ results, code, stdout, stderr }));
Deno.exit(0);

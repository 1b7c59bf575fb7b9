import { pathToFileURL } from "node:url";
import { create, type DescMessage, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { Graph } from "../../core/graph/mod.ts";
import {
  formatManifest,
  type Manifest,
  type ManifestGraph,
  type ManifestNode,
  toManifest,
} from "../../core/manifest/mod.ts";
import { Pipeline, type Source } from "../../core/pipeline.ts";
import type { Segment } from "../../core/executor.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import * as pb from "../../proto/gen/remotemedia/v1/pipeline_service_pb.ts";
import { BUNDLE } from "../wire/messages.ts";

/** A version of a registered pipeline. */
export interface RegisteredPipeline {
  /** The name in its manifest. */
  name: string;
  /** The SHA-256 of its manifest in the server's form, in hex. */
  version: string;
  /** The name of the token that registered it; `anonymous` where there are no tokens. */
  owner: string;
  /** Whether others may see and run it. */
  isPublic: boolean;
  /** Whether its name alone means this version. */
  isNewest: boolean;
  /** What it is for. */
  description: string;
  /** When it was registered last, in ms since 1970. */
  registeredMs: number;
  /** How often it was run. */
  runs: number;
  /** How many of the runs failed. */
  errors: number;
  /** When it was run last, in ms since 1970; 0 for never. */
  lastRunMs: number;
  /** How the last run that failed did; empty for none. */
  lastError: string;
}

/** Options of {@linkcode PipelineRegistry.register}. */
export interface RegisterOptions {
  /** Whether others may see and run it; each of its nodes they must be allowed to use. @default false */
  isPublic?: boolean;
  /** Where paths of modules start: the URL of the manifest. @default the working directory */
  base?: URL;
}

/** A call of the registry's service. */
export type RegistryCall =
  | "registerPipeline"
  | "listPipelines"
  | "getPipeline"
  | "runPipeline"
  | "unregisterPipeline";

/** What a registry needs of its executor. */
export interface RegistryHost {
  /** A call to the first server that answers, or to every one. */
  call(
    method: RegistryCall,
    request: Uint8Array,
    options?: { everywhere?: boolean; signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
  /** Packages a module. */
  package(module: string): Promise<Bundle>;
  /** Brings bundles to every server. */
  bring(bundles: readonly Bundle[]): Promise<void>;
  /** Opens a session of a registered pipeline. */
  open(pipeline: string): Segment;
}

/**
 * The pipelines that a server keeps under names; from {@linkcode RemoteExecutor.pipelines}. A pipeline is
 * addressed as `name` (the newest of one's own), `name@version`, `owner/name` or `owner/name@version`; the version
 * may be cut to 8 digits or more.
 *
 * @example
 * ```ts
 * import { Pipeline, RemoteExecutor } from "@remotemedia/sdk";
 * import { TextTransform } from "@remotemedia/sdk/nodes";
 * import { serve } from "@remotemedia/sdk/server";
 *
 * await using server = await serve({ port: 0, userCode: false, pipelines: ":memory:" });
 * await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
 * const { pipelines } = executor;
 * await pipelines.register(new Pipeline([new TextTransform({ case: "upper" })]), { name: "shout" });
 * console.log(await Array.fromAsync(pipelines.run("shout", ["a", "b"]))); // ["A", "B"]
 * const [shout] = await pipelines.list();
 * console.log(shout?.runs); // 1
 * ```
 */
export class PipelineRegistry {
  readonly #host: RegistryHost;

  /** Made by an executor: see {@linkcode RemoteExecutor.pipelines}. @param host what it needs of it */
  constructor(host: RegistryHost) {
    this.#host = host;
  }

  /**
   * Keeps a pipeline on the server; on each, where the executor has several. Code of modules in it is packaged and
   * sent. The same manifest is the same version, and is then the newest.
   *
   * @param pipeline a pipeline or graph, a manifest, or the text of one
   * @param options who may see it, and what to call it where the manifest does not say
   * @throws {ConfigurationError} if it is wrong, names executors, or cannot be told as data
   * @throws {PackagingError} if a module cannot be packaged
   * @throws {RemoteError} if the caller may not register it, or the server keeps none
   */
  async register(
    pipeline: Pipeline | Graph | Manifest | string,
    options: RegisterOptions & { name?: string } = {},
  ): Promise<RegisteredPipeline> {
    const { isPublic = false, name } = options;
    const manifest = typeof pipeline === "string"
      ? pipeline
      : formatManifest(await this.#bundled(toData(pipeline, name), options), { as: "json" });
    const response = await this.#call(
      "registerPipeline",
      [pb.RegisterPipelineRequestSchema, { manifest, public: isPublic }],
      pb.RegisterPipelineResponseSchema,
      { everywhere: true },
    );
    return told(response.pipeline!);
  }

  /**
   * All versions that one may run: one's own and the public ones, by owner, name, and the newest first.
   *
   * @param options only those of a name
   */
  async list({ name = "" }: { name?: string } = {}): Promise<RegisteredPipeline[]> {
    const response = await this.#call(
      "listPipelines",
      [pb.ListPipelinesRequestSchema, { name }],
      pb.ListPipelinesResponseSchema,
    );
    return response.pipelines.map(told);
  }

  /**
   * One version, with its manifest.
   *
   * @param pipeline its address
   * @throws {RemoteError} NOT_FOUND, if there is none that one may see
   */
  async get(pipeline: string): Promise<RegisteredPipeline & { manifest: Manifest }> {
    const response = await this.#call(
      "getPipeline",
      [pb.GetPipelineRequestSchema, { pipeline }],
      pb.GetPipelineResponseSchema,
    );
    return { ...told(response.pipeline!), manifest: JSON.parse(response.manifest) };
  }

  /**
   * Forgets a version, or all of a name where the address has none. Sessions that run go on.
   *
   * @param pipeline its address
   * @returns how many versions that were
   * @throws {RemoteError} NOT_FOUND, or PERMISSION_DENIED where it belongs to somebody else
   */
  async unregister(pipeline: string): Promise<number> {
    const response = await this.#call(
      "unregisterPipeline",
      [pb.UnregisterPipelineRequestSchema, { pipeline }],
      pb.UnregisterPipelineResponseSchema,
      { everywhere: true },
    );
    return response.versions;
  }

  /**
   * Runs a pipeline there over all of a source: a session of its own, with the same backpressure, errors and going
   * on after a failure as nodes that run there.
   *
   * @param pipeline its address
   * @param source a stream or an iterable of chunks
   * @param options how to end it early
   * @returns the outputs
   */
  run(
    pipeline: string,
    source: Source<unknown>,
    { signal }: { signal?: AbortSignal } = {},
  ): ReadableStream<unknown> {
    const segment = this.open(pipeline);
    const input = source instanceof ReadableStream ? source : ReadableStream.from(source);
    // what fails on the way fails the readable end
    void input.pipeTo(segment.writable, { signal }).catch((reason) => segment.stop(reason));
    return segment.readable;
  }

  /**
   * A session of a pipeline as `{ readable, writable }`; connects when it is first used.
   *
   * @param pipeline its address
   */
  open(pipeline: string): Segment {
    return this.#host.open(pipeline);
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    method: RegistryCall,
    [schema, init]: [I, MessageInitShape<I>],
    answer: O,
    options?: { everywhere?: boolean },
  ) {
    const request = toBinary(schema, create(schema, init));
    return fromBinary(answer, await this.#host.call(method, request, options));
  }

  /** The manifest with its modules as bundles, which are brought to the servers. */
  async #bundled(manifest: Manifest, { base }: RegisterOptions): Promise<Manifest> {
    const start = base ?? pathToFileURL(`${Deno.cwd()}/`);
    const bundles = new Map<string, Bundle>();
    const changed = structuredClone(manifest);
    for (const node of modulesBelow(changed)) {
      const [path, name] = node.module!.split("#") as [string, string];
      if (path.startsWith(BUNDLE)) continue;
      const { href } = new URL(path, start);
      const bundle = bundles.get(href) ?? await this.#host.package(href);
      bundles.set(href, bundle);
      node.module = `${BUNDLE}${bundle.digest}#${name}`;
    }
    await this.#host.bring([...bundles.values()]);
    return changed;
  }
}

function toData(pipeline: Pipeline | Graph | Manifest, name: string | undefined): Manifest {
  if (pipeline instanceof Pipeline || pipeline instanceof Graph) {
    return toManifest(pipeline, { name });
  }
  return name === undefined ? pipeline : { ...pipeline, name };
}

function* modulesBelow({ nodes }: ManifestGraph): Generator<ManifestNode> {
  for (const node of nodes) {
    if (node.module !== undefined) yield node;
    if (node.graph !== undefined) yield* modulesBelow(node.graph);
  }
}

function told(message: pb.PipelineVersion): RegisteredPipeline {
  const { name, version, owner, description, lastError } = message;
  return {
    name,
    version,
    owner,
    isPublic: message.public,
    isNewest: message.newest,
    description,
    registeredMs: Number(message.registeredMs),
    runs: Number(message.runs),
    errors: Number(message.errors),
    lastRunMs: Number(message.lastRunMs),
    lastError,
  };
}

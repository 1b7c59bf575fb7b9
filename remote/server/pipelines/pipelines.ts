import { messageOf, RemoteError } from "../../../core/errors.ts";
import { loggerFor } from "../../../core/log.ts";
import { ManifestError, parseManifest } from "../../../core/manifest/mod.ts";
import type { Manifest } from "../../../core/manifest/mod.ts";
import { sourceOf } from "../../../core/manifest/parse_manifest.ts";
import type { AnyNode } from "../../../core/node.ts";
import { nearest } from "../../../core/registry.ts";
import { sha256Hex } from "../../../packaging/bundle.ts";
import { BUNDLE } from "../../wire/messages.ts";
import type { Caller } from "../access.ts";
import type { SessionHost } from "../session_nodes.ts";
import type { UserCode } from "../user_code.ts";
import { bundledModule, nodesBelow, nodesOfManifest } from "./nodes_of_manifest.ts";
import type { PipelineStore, StoredPipeline } from "./pipeline_store.ts";
import { status } from "../../wire/grpc_status.ts";

/** Versions that one owner may keep, and the bytes of their bundles. */
const [MAX_VERSIONS, MAX_BUNDLE_BYTES] = [1_000, 256 * 2 ** 20];

const log = loggerFor("server");

/** A registered pipeline, about to run. */
export interface PipelineRun {
  /** Its nodes, of this run alone. */
  nodes: AnyNode[];
  /** `OWNER/NAME@VERSION`. */
  address: string;
  /** Takes note of how it failed. */
  failed(error: unknown): void;
}

/** What a server's registry needs of it. */
export interface PipelinesHost {
  session: SessionHost;
  /** Without it, modules are refused. */
  userCode: UserCode | undefined;
}

/** The registered pipelines of a server, and who may do what with them. */
export class Pipelines {
  readonly #store: PipelineStore;
  readonly #host: PipelinesHost;

  constructor(store: PipelineStore, host: PipelinesHost) {
    this.#store = store;
    this.#host = host;
  }

  /**
   * Keeps a pipeline. The same manifest is the same version, however it is written.
   *
   * @param text the manifest, as YAML or JSON
   * @throws {ManifestError} with all that is wrong, each with line and column
   * @throws {RemoteError} PERMISSION_DENIED, if the caller may not register, or use one of the nodes
   */
  async register(
    text: string,
    { caller, isPublic }: { caller: Caller; isPublic: boolean },
  ): Promise<{ pipeline: StoredPipeline; created: boolean }> {
    mayChange(caller, "register a pipeline");
    const manifest = this.#parse(text, "manifest");
    refuseExecutorsAndPaths(manifest);
    nodesOfManifest(manifest, { host: this.#host.session, caller }); // made once, to see that they can be
    const bundles = await this.#bundlesOf(manifest);
    const owner = caller.name;
    this.#checkRoom(owner, bundles);
    const kept = canonical(manifest);
    const version = await sha256Hex(new TextEncoder().encode(kept));
    const { name, description = "" } = manifest;
    const created = this.#store.put({
      owner,
      name,
      version,
      description,
      isPublic,
      manifest: kept,
      bundles,
    });
    return { pipeline: this.#store.find({ owner, name, version })[0]!, created };
  }

  /** What the caller may run. @param name only those of this name; empty for all */
  list(caller: Caller, name: string): StoredPipeline[] {
    mayUsePipelines(caller);
    return this.#store.find(name === "" ? {} : { name }).filter((each) => isVisible(each, caller));
  }

  /** A version and its manifest. @throws {RemoteError} NOT_FOUND */
  get(address: string, caller: Caller): { pipeline: StoredPipeline; manifest: string } {
    const [pipeline] = this.#resolve(address, caller);
    return { pipeline: pipeline!, manifest: this.#store.manifest(pipeline!) };
  }

  /** Forgets a version, or all of a name. @throws {RemoteError} NOT_FOUND or PERMISSION_DENIED */
  unregister(address: string, caller: Caller): number {
    mayChange(caller, `remove pipeline ${address}`);
    const found = this.#resolve(address, caller);
    const { owner } = found[0]!;
    if (owner !== caller.name && caller.policy.pipelines !== "all") {
      throw denied(`Cannot remove pipeline ${address} as it belongs to "${owner}"`);
    }
    this.#store.remove(found);
    return found.length;
  }

  /**
   * Makes the nodes for one run.
   *
   * @param isResumed whether the run has been counted before
   * @throws {RemoteError} NOT_FOUND, or PERMISSION_DENIED if the caller may not use one of the nodes
   */
  open(
    address: string,
    { caller, isResumed = false }: { caller: Caller; isResumed?: boolean },
  ): PipelineRun {
    const [pipeline] = this.#resolve(address, caller) as [StoredPipeline];
    if (!isResumed) this.#count(() => this.#store.began(pipeline));
    const failed = (error: unknown) =>
      this.#count(() => this.#store.failed(pipeline, messageOf(error)));
    try {
      const manifest = this.#parse(this.#store.manifest(pipeline), addressOf(pipeline));
      const nodes = nodesOfManifest(manifest, { host: this.#host.session, caller });
      return { nodes, address: addressOf(pipeline), failed };
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  #parse(text: string, file: string): Manifest {
    return parseManifest(text, { registry: this.#host.session.registry, file });
  }

  /** A count that cannot be kept does not fail the run. */
  #count(change: () => void): void {
    try {
      change();
    } catch (error) {
      log.warn("cannot count a run: {error}", { error });
    }
  }

  /** The version, or without one all of the name, the newest first. */
  #resolve(address: string, caller: Caller): StoredPipeline[] {
    mayUsePipelines(caller);
    const parts = /^(?:(.+)\/)?([^/@]+)(?:@([0-9a-f]{8,64}))?$/.exec(address);
    if (parts === null) throw notFound(address, "it must be NAME, NAME@VERSION or OWNER/NAME");
    const [, owner = caller.name, name, version] = parts;
    const found = this.#store.find({ owner, name, ...(version && { version }) })
      .filter((each) => isVisible(each, caller));
    if (found.length > 0 && (version === undefined || found.length === 1)) return found;
    if (found.length > 1) throw notFound(address, "several versions begin so");
    const near = nearest(
      address,
      this.list(caller, "").flatMap((each) =>
        each.owner === caller.name ? [each.name] : [`${each.owner}/${each.name}`]
      ),
    );
    const others = this.list(caller, name!).map((each) => `${each.owner}/${each.name}`);
    const hint = others[0] ?? near;
    throw notFound(address, hint === undefined ? "see ListPipelines" : `did you mean ${hint}?`);
  }

  async #bundlesOf(manifest: Manifest): Promise<Map<string, Uint8Array>> {
    const bundles = new Map<string, Uint8Array>();
    for (const [{ module }] of nodesBelow(manifest)) {
      const [, bundle] = bundledModule.exec(module ?? "") ?? [];
      const digest = bundle?.slice(BUNDLE.length);
      if (digest === undefined || bundles.has(digest)) continue;
      bundles.set(digest, await this.#host.userCode!.bytesOf(digest));
    }
    return bundles;
  }

  #checkRoom(owner: string, bundles: ReadonlyMap<string, Uint8Array>): void {
    const { versions, bundleBytes } = this.#store.usageOf(owner);
    const bytes = [...bundles.values()].reduce((sum, { length }) => sum + length, bundleBytes);
    if (versions < MAX_VERSIONS && bytes <= MAX_BUNDLE_BYTES) return;
    throw new RemoteError(
      `Cannot keep more pipelines of "${owner}": it has ${versions} of ${MAX_VERSIONS} versions, and ` +
        `${bytes} of ${MAX_BUNDLE_BYTES} bytes of bundles; remove some`,
      { code: status.RESOURCE_EXHAUSTED },
    );
  }
}

/** `OWNER/NAME@VERSION`. */
export function addressOf({ owner, name, version }: StoredPipeline): string {
  return `${owner}/${name}@${version}`;
}

/** What a server opens is decided by who runs it, and what it reads from its disk too. */
function refuseExecutorsAndPaths(manifest: Manifest): void {
  const source = sourceOf(manifest)!;
  const issues = [...nodesBelow(manifest)].flatMap(([{ id, executor, module }, at]) => [
    ...(executor === undefined ? [] : [source.issue(
      `Cannot register node ${id} as it names executor ${executor}: a registered pipeline runs at its ` +
        "server alone, which connects nowhere for its clients",
      [...at, "executor"],
    )]),
    ...(module === undefined || bundledModule.test(module) ? [] : [source.issue(
      `Cannot register node ${id} as its module must be an uploaded bundle, bundle:DIGEST#EXPORT: ` +
        `current value is ${JSON.stringify(module)}`,
      [...at, "module"],
    )]),
  ]);
  if (issues.length > 0) throw new ManifestError(source.file, issues);
}

/** A manifest as text, the same for all that mean the same. */
function canonical(manifest: Manifest): string {
  const { executors: _unused, ...rest } = manifest;
  return JSON.stringify(rest, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
}

function isVisible({ owner, isPublic }: StoredPipeline, { name, policy }: Caller): boolean {
  return isPublic || owner === name || policy.pipelines === "all";
}

function mayUsePipelines({ name, policy }: Caller): void {
  if (policy.pipelines === "none") throw denied(`Cannot use pipelines as "${name}" may not`);
}

function mayChange(caller: Caller, action: string): void {
  mayUsePipelines(caller);
  if (caller.policy.pipelines !== "run") return;
  throw denied(`Cannot ${action} as "${caller.name}" may only run those that are there`);
}

function denied(message: string): RemoteError {
  return new RemoteError(message, { code: status.PERMISSION_DENIED });
}

function notFound(address: string, hint: string): RemoteError {
  return new RemoteError(`Cannot find pipeline ${address}: ${hint}`, { code: status.NOT_FOUND });
}

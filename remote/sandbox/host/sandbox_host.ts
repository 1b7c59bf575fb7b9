import { PipelineError } from "../../../core/errors.ts";
import type { Executor, NodeSpec, Segment } from "../../../core/executor.ts";
import type { Logger } from "../../../core/log.ts";
import { connect } from "../../../core/stage/connect.ts";
import { HostSegment } from "../_host_segment.ts";
import type { Place } from "../_place.ts";
import { completeLimits, type SandboxLimits } from "../limits.ts";
import { intersectPermissions, type SandboxPermissions } from "../permissions.ts";
import type { Bundle } from "../../../packaging/bundle.ts";
import type { Isolation, Launch } from "./launch.ts";
import { NodeElsewhere } from "./node_elsewhere.ts";
import { type CallBack, Sandbox } from "./sandbox.ts";
import type { SandboxProcess } from "./sandbox_process.ts";
import { SandboxPool, type SandboxPoolOptions } from "./sandbox_pool.ts";

/** What a sandbox may do, as the one who runs it says. */
export interface SandboxPolicy {
  /** What it may use. */
  limits?: SandboxLimits;
  /** The most that a bundle is granted of what it asks for. @default nothing */
  permissions?: SandboxPermissions;
  /** What keeps its process apart beside Deno's permissions. @default "process" */
  isolation?: Isolation;
}

/** How a module is loaded. */
export interface SandboxLoadOptions {
  /** What it may do. */
  policy?: SandboxPolicy;
  /** What the bundle's module is written in. @default "js" */
  language?: "js" | "ts";
  /** Where its console goes. */
  log?: Logger;
  /** Answers the calls of callbacks. */
  callBack?: CallBack;
  /** Awaited, where it gives a promise, before more answers and calls of callbacks are read of a process. */
  room?: () => Promise<void> | undefined;
  /** Told the CPU time that the processes took, in ms, as it goes on. */
  onCpu?: (ms: number) => void;
}

/** Gets the bundle that a node's class is in. */
export type BundleOf = (spec: NodeSpec) => Promise<Bundle>;

/** Runs modules in sandboxes: a pool of processes, and the rules for what goes into one. */
export class SandboxHost implements AsyncDisposable {
  readonly #pool: SandboxPool;

  /** @param options how many processes there are */
  constructor(options: SandboxPoolOptions = {}) {
    this.#pool = new SandboxPool(options);
  }

  /** How many processes there are, waiting and working. */
  get processes(): number {
    return this.#pool.size;
  }

  /** Starts processes before they are needed, for bundles that ask for so much. */
  async warmUp(policy: SandboxPolicy = {}, asked: SandboxPermissions = {}): Promise<void> {
    await this.#pool.prepare(launchOf(asked, policy));
  }

  /**
   * Loads a bundle, made here or opened and found right, into a process of its own.
   *
   * @throws {SandboxError} if it passes a limit meanwhile, or there are as many as there may be
   * @throws whatever the module throws
   */
  async load(
    bundle: Bundle,
    { policy = {}, ...options }: SandboxLoadOptions = {},
  ): Promise<Sandbox> {
    const launch = launchOf(bundle.manifest.permissions, policy);
    const load = async (process: SandboxProcess) =>
      await Sandbox.load(process, bundle, { ...options, limits: launch.limits });
    const process = await this.#pool.take(launch);
    try {
      return await load(process);
    } catch (error) {
      if (!process.killedFromOutside) throw error;
      // it was killed while it waited, before anybody noticed
      return await load(await this.#pool.take(launch));
    }
  }

  /**
   * Runs nodes as one segment: neighbours whose classes are in one module share a sandbox.
   *
   * @param nodes the nodes, in their order
   * @param bundleOf gets the bundle of a node; nodes with equal `module` have the same one
   */
  open(nodes: readonly NodeSpec[], bundleOf: BundleOf, options: SandboxLoadOptions = {}): Segment {
    const modules = new Set(nodes.map(({ module }) => module));
    if (modules.size === 1) return this.#openOne(nodes, bundleOf, options);
    const executors = new Map(
      [...modules].map((module): [string | undefined, Executor] => [module, {
        name: "sandbox",
        open: (some) => this.#openOne(some, bundleOf, options),
      }]),
    );
    return connect(nodes.map((spec) => new NodeElsewhere(spec, executors.get(spec.module)!)));
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #openOne(nodes: readonly NodeSpec[], bundleOf: BundleOf, options: SandboxLoadOptions): Segment {
    const first = nodes[0];
    if (first === undefined) throw new PipelineError("Cannot open segment as it has no node");
    return new HostSegment(nodes, async (segment, states): Promise<Place> => {
      const sandbox = await this.load(await bundleOf(first), options);
      const id = sandbox.attach(segment, [...nodes], states);
      return {
        wire: sandbox.wire,
        id,
        release: () => sandbox[Symbol.asyncDispose](),
        abandon: () => sandbox.abandon("did not close its nodes in time"),
      };
    });
  }
}

/** What a process must be for a bundle under a policy. */
function launchOf(asked: SandboxPermissions, policy: SandboxPolicy): Launch {
  const { limits, permissions = {}, isolation = "process" } = policy;
  return {
    limits: completeLimits(limits),
    permissions: intersectPermissions(asked, permissions),
    isolation,
  };
}

/**
 * A policy made narrower by another: of each limit the smaller, of permissions what both grant, the stronger
 * isolation. What the narrower one does not say stays as it is.
 */
export function narrowedPolicy(wide: SandboxPolicy, narrow: SandboxPolicy): SandboxPolicy {
  const limits: SandboxLimits = { ...completeLimits(wide.limits) };
  for (const [name, value] of Object.entries(narrow.limits ?? {})) {
    const limit = name as keyof SandboxLimits;
    if (value !== undefined) limits[limit] = Math.min(limits[limit]!, value);
  }
  const { permissions = {} } = wide;
  return {
    limits,
    permissions: narrow.permissions === undefined
      ? permissions
      : intersectPermissions(permissions, narrow.permissions),
    isolation: [wide, narrow].some(({ isolation }) => isolation === "bwrap") ? "bwrap" : "process",
  };
}

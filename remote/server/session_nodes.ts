import { ConfigurationError, RemoteError } from "../../core/errors.ts";
import type { Executor, NodeSpec } from "../../core/executor.ts";
import type { AnyNode } from "../../core/node.ts";
import { Pipeline } from "../../core/pipeline.ts";
import type { NodeStats } from "../../core/stats.ts";
import type { NodeRegistry } from "../../core/registry.ts";
import { type CodePlace, hasPlace, placeCode } from "../../nodes/code/code_place.ts";
import { type Caller, mayUse } from "./access.ts";
import { NodeElsewhere } from "../sandbox/host/node_elsewhere.ts";
import { status } from "../wire/grpc_status.ts";

/** How a session's nodes are made. */
export interface SessionHost {
  /** The types that clients may name. */
  registry: NodeRegistry;
  /** Where a caller's code of one session runs, usually in sandboxes. Without it, user code is refused. */
  userCode?: (caller: Caller) => Executor;
  /** Where nodes load what they run as code for a caller. @default a pool without rights, with their own limits */
  code?: (caller: Caller) => CodePlace;
}

/** How a line of nodes can go on elsewhere; `node` is the first that cannot. */
export type ResumeAbility =
  | { mode: "replay" | "snapshot" }
  | { mode: "none"; node: string };

/**
 * Makes the nodes of a session.
 * @throws {ConfigurationError} if a type is not known, or there is no place for user code
 * @throws {RemoteError} PERMISSION_DENIED, if the caller may not use a type, or bring code
 * @throws {TypeError | RangeError} if an option breaks its rule
 */
export function makeNodes(
  specs: readonly NodeSpec[],
  { host, caller }: { host: SessionHost; caller: Caller },
): AnyNode[] {
  if (specs.length === 0) throw new ConfigurationError("Cannot open session as it has no node");
  let executor: Executor | undefined;
  return specs.map((spec) => {
    if (spec.module === undefined) {
      const nodeClass = host.registry.get(spec.type);
      if (nodeClass !== undefined && !mayUse(caller.policy, nodeClass)) {
        throw new RemoteError(`Cannot use node type ${spec.type} as "${caller.name}" may not`, {
          code: status.PERMISSION_DENIED,
        });
      }
      const node = host.registry.create(spec);
      if (nodeClass?.access?.includes("code") && host.code) placeCode(node, host.code(caller));
      return node;
    }
    const { userCode } = host;
    if (userCode === undefined) {
      throw new ConfigurationError(
        `Cannot run node "${spec.name}" as this server takes no user code (${spec.type} of ${spec.module})`,
      );
    }
    executor ??= userCode(caller);
    return new NodeElsewhere(spec, executor);
  });
}

/** A line of nodes of any types. */
export function pipelineOf(nodes: readonly AnyNode[]): Pipeline {
  return new Pipeline(nodes as never) as unknown as Pipeline;
}

/**
 * The time, in ms, that nodes took of this process: what their methods took, waits included. Nodes in
 * sandboxes are left out, as the system tells what their processes took.
 */
export function busyMsOf(nodes: readonly AnyNode[], stats: readonly NodeStats[]): number {
  return stats.reduce(
    (sum, { busyMs }, index) => isElsewhere(nodes[index]!) ? sum : sum + busyMs,
    0,
  );
}

function isElsewhere(node: AnyNode): boolean {
  return node instanceof NodeElsewhere || hasPlace(node);
}

/** How a line of nodes can go on elsewhere after this process died. */
export function resumeAbility(nodes: readonly AnyNode[]): ResumeAbility {
  let mode: "replay" | "snapshot" = "replay";
  for (const node of nodes) {
    const { resume } = node.toSpec();
    if (resume === "snapshot") mode = "snapshot";
    else if (resume === undefined) return { mode: "none", node: node.name };
  }
  return { mode };
}

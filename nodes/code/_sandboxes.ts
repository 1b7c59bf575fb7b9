import type { Outcome } from "../../remote/sandbox/protocol.ts";
import type { Sandbox } from "../../remote/sandbox/host/sandbox.ts";
import type { SandboxHost, SandboxPolicy } from "../../remote/sandbox/host/sandbox_host.ts";
import type { Bundle } from "../../packaging/bundle.ts";

export type { Bundle, Outcome, Sandbox, SandboxPolicy };

let host: Promise<SandboxHost> | undefined;

/**
 * The sandboxes of nodes that run text or bytes as code: one pool for the process, of which nothing waits
 * while no such node is open. Loaded only when it is needed, as nodes otherwise know nothing of `remote`.
 */
export function sandboxes(): Promise<SandboxHost> {
  host ??= import("../../remote/sandbox/host/sandbox_host.ts").then(({ SandboxHost }) =>
    new SandboxHost({ warm: 0 })
  );
  return host;
}

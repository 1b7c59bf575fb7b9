import type { Bundle } from "../../packaging/bundle.ts";
import type { Sandbox } from "../../remote/sandbox/host/sandbox.ts";
import type { SandboxLimits } from "../../remote/sandbox/limits.ts";
import type { SandboxPolicy } from "../../remote/sandbox/host/sandbox_host.ts";

export type { Bundle, Sandbox };

/** How a node wants its code to be run. */
export interface CodeOptions {
  /** What it may use and reach. A place may allow less. */
  policy: SandboxPolicy;
  /** What the code is written in. @default "js" */
  language?: "js" | "ts";
}

/** The longest that a timer can wait, in ms. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** A node bounds each chunk and not its whole life, which may be years; a place may allow less. */
export const endless: SandboxLimits = {
  cpuMs: Infinity,
  idleMs: Infinity,
  outputBytes: Infinity,
  wallMs: Infinity,
};

/** Where nodes that run text or bytes as code load it: each time into a sandbox of its own. */
export interface CodePlace {
  /** @throws {SandboxError} if it passes a limit meanwhile; and whatever the code throws */
  load(bundle: Bundle, options: CodeOptions): Promise<Sandbox>;
}

/** The places of nodes that somebody else decides about: a server. */
const places = new WeakMap<object, CodePlace>();
let here: Promise<CodePlace> | undefined;

/** Lets a node run its code in a place, under the rules there. Before it opens. */
export function placeCode(node: object, place: CodePlace): void {
  places.set(node, place);
}

/** Whether a node runs its code in a place of somebody else. */
export function hasPlace(node: object): boolean {
  return places.has(node);
}

/**
 * Where a node runs its code: in its place, or in one pool for the process, of which nothing waits while no such
 * node is open. That one is loaded only when it is needed, as nodes otherwise know nothing of `remote`.
 */
export async function placeOf(node: object): Promise<CodePlace> {
  here ??= import("../../remote/sandbox/host/sandbox_host.ts").then(({ SandboxHost }) =>
    new SandboxHost({ warm: 0 })
  );
  return places.get(node) ?? await here;
}

import { type Bundle, sha256Hex } from "../../../packaging/bundle.ts";
import type { SandboxPermissions } from "../../../remote/sandbox/permissions.ts";

/**
 * A bundle of hand-written JavaScript, as a hostile client could craft it: what `createBundle` would refuse
 * gets in as well, so that the sandbox is tested and not the packager.
 */
export async function bundleOf(
  code: string,
  { permissions = {}, files = {} }: {
    permissions?: SandboxPermissions;
    files?: Record<string, Uint8Array>;
  } = {},
): Promise<Bundle> {
  const bytes = new TextEncoder().encode(code);
  const { net = [], read = [], env = [] } = permissions;
  return {
    digest: await sha256Hex(bytes),
    bytes,
    code,
    files: new Map(Object.entries(files)),
    manifest: {
      format: 1,
      entry: "bundle.js",
      exports: [],
      sdk: "0.1.0",
      runtime: Deno.version.deno,
      permissions: { net: [...net], read: [...read], env: [...env] },
      files: [],
      modules: [],
    },
  };
}

/** Nodes that the tests of the sandbox run. */
export const nodesCode = `
import { Node, AudioFrame } from "@remotemedia/sdk";
export class Double extends Node { process(x) { return 2 * x; } }
export class Echo extends Node { process(x) { return x; } }
export class Grow extends Node { process(x) { return "x".repeat(x); } }
export class Repeat extends Node { *process(x) { for (let i = 0; i < x; i++) yield x; } }
export class Sum extends Node {
  #sum = 0;
  process(x) { this.#sum += x; }
  flush() { return this.#sum; }
  snapshot() { return this.#sum; }
  restore(state) { this.#sum = state; }
}
export class ThrowAt extends Node {
  process(x) {
    if (x === this.options.at) throw new RangeError("no " + x);
    return x;
  }
}
export class Slow extends Node {
  async process(x) { await new Promise((r) => setTimeout(r, this.options.ms ?? 5)); return x; }
}
export class Endless extends Node {
  *process() { for (let i = 0; ; i++) yield i; }
}
export class Gain extends Node {
  process(frame) { return frame.with({ data: frame.data.map((x) => x * this.options.by) }); }
}
export class Is extends Node {
  process(x) { return [x instanceof AudioFrame, this instanceof Node, x?.constructor?.name]; }
}
export class Spin extends Node { process() { for (;;); } }
export class Marks extends Node {
  process(x) { return x; }
  onMarker(marker) { console.log("marker", marker.name); }
}
`;

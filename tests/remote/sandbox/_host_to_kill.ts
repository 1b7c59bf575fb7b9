/** A host with a sandbox that spins and one that waits; says so, and waits to be killed. */

import { SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { bundleOf } from "./_bundles.ts";
import { children } from "./_leaks.ts";

const [isolation] = Deno.args as ["process" | "bwrap"];
const host = new SandboxHost({ warm: 1 });
const bundle = await bundleOf("export const spin = () => { for (;;); };");
const sandbox = await host.load(bundle, { policy: { isolation } });
const spin = { kind: "apply", target: 0, path: ["spin"], args: new Uint8Array([0x90]) } as const;
sandbox.operate({ ...spin, path: ["spin"], callbacks: [] }).catch(() => {}); // it never ends
await host.warmUp({ isolation });
console.log(JSON.stringify(children()));
setInterval(() => {}, 1000);

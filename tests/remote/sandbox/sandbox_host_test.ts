import assert from "node:assert/strict";
import { defaultLimits } from "../../../remote/sandbox/limits.ts";
import { SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { generateAll } from "../../../remote/sandbox/generate.ts";
import type { Bundle } from "../../../packaging/bundle.ts";
import { bundleOf, nodesCode } from "./_bundles.ts";
import { children, makeAndEnd, remains } from "./_leaks.ts";

const isInstalled = async (program: string) =>
  (await new Deno.Command("which", { args: [program] }).output()).success;

/** Runs one node over some inputs. */
async function run(
  host: SandboxHost,
  bundle: Bundle,
  { type, inputs, isolation = "process" }: {
    type: string;
    inputs: unknown[];
    isolation?: "process" | "bwrap";
  },
): Promise<unknown[]> {
  const spec = { name: type, type, options: {}, module: "test" };
  const segment = host.open([spec], () => Promise.resolve(bundle), { policy: { isolation } });
  const [outputs] = await Promise.all([
    Array.fromAsync(segment.readable),
    ReadableStream.from(inputs).pipeTo(segment.writable),
  ]);
  return outputs;
}

Deno.test("SandboxHost runs nodes under bwrap too", async () => {
  assert.ok(await isInstalled("bwrap"), "install the package bubblewrap");
  await using host = new SandboxHost();
  const bundle = await bundleOf(nodesCode);
  const outputs = await run(host, bundle, { type: "Double", inputs: [1, 2], isolation: "bwrap" });
  assert.deepEqual(outputs, [2, 4]);
});

Deno.test("SandboxHost gives a process under bwrap namespaces of its own, and holds its memory", async () => {
  await using host = new SandboxHost({ warm: 0 });
  const policy = { isolation: "bwrap", limits: { memoryBytes: 64 << 20 } } as const;
  const code = `export const pid = () => Deno.pid;
    export const bomb = () => { const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1)); };`;
  const sandbox = await host.load(await bundleOf(code), { policy });
  const args = new Uint8Array([0x90]);
  const pid = await sandbox.operate({
    kind: "apply",
    target: 0,
    path: ["pid"],
    args,
    callbacks: [],
  });
  assert.equal(pid.kind, "value");
  assert.ok(pid.kind === "value" && pid.value[0]! < 10, "it has small process numbers of its own");
  const bomb = sandbox.operate({ kind: "apply", target: 0, path: ["bomb"], args, callbacks: [] });
  await assert.rejects(bomb, { name: "SandboxError", reason: "memory" });
});

Deno.test("SandboxHost tells of a killed process, and the next session works", async () => {
  await using host = new SandboxHost();
  const bundle = await bundleOf(nodesCode);
  const spec = { name: "Endless", type: "Endless", options: {}, module: "test" };
  const before = children();
  const segment = host.open([spec], () => Promise.resolve(bundle));
  const writer = segment.writable.getWriter();
  writer.closed.catch(() => {}); // the reader is told
  void writer.write(0);
  const reader = segment.readable.getReader();
  for (let index = 0; index < 10; index++) assert.equal((await reader.read()).value, index);
  const pids = children().filter((pid) => !before.includes(pid));
  assert.ok(pids.length > 0);
  for (const pid of pids) Deno.kill(pid, "SIGKILL"); // the one that waits as well
  const readAll = async () => {
    while (!(await reader.read()).done);
  };
  await assert.rejects(readAll(), { name: "SandboxError", reason: "crash" });
  assert.deepEqual(await run(host, bundle, { type: "Double", inputs: [21] }), [42]);
});

Deno.test("SandboxHost does not start more processes than it may", async () => {
  await using host = new SandboxHost({ warm: 0, max: 1 });
  const bundle = await bundleOf("export const one = () => 1;");
  await using _first = await host.load(bundle);
  await assert.rejects(host.load(bundle), { name: "SandboxError", reason: "denied" });
});

Deno.test("SandboxHost uses each process once, and keeps one waiting", async () => {
  await using host = new SandboxHost({ warm: 1 });
  await host.warmUp();
  assert.equal(host.processes, 1);
  const bundle = await bundleOf("export const one = () => 1;");
  const first = await host.load(bundle);
  const second = await host.load(bundle);
  assert.notEqual(first.pid, second.pid);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

Deno.test("SandboxHost gives up a process that waits for other work, where there may be no more", async () => {
  const names = ["a.example:80", "b.example:80", "c.example:80", "d.example:80"];
  await using host = new SandboxHost({ warm: 1, max: 2 });
  for (const name of names) {
    const permissions = { net: [name] };
    await host.warmUp({ permissions }, permissions);
    const bundle = await bundleOf("export const one = () => 1;", { permissions });
    await using _sandbox = await host.load(bundle, { policy: { permissions } });
    assert.ok(host.processes <= 2);
  }
});

Deno.test("SandboxHost tells that it is full as something that passes", async () => {
  await using host = new SandboxHost({ warm: 0, max: 1 });
  const bundle = await bundleOf("export const one = () => 1;");
  const first = await host.load(bundle);
  await assert.rejects(host.load(bundle), { name: "SandboxError", retryable: true });
  await first[Symbol.asyncDispose]();
  await using _second = await host.load(bundle);
});

Deno.test("SandboxHost takes limits without end", async () => {
  await using host = new SandboxHost({ warm: 0 });
  const limits = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, Infinity]));
  await using _sandbox = await host.load(await bundleOf("export const one = 1;"), {
    policy: { limits },
  });
});

Deno.test("SandboxHost leaves nothing behind", async () => {
  await makeAndEnd(3);
  const before = remains();
  await makeAndEnd(20);
  const after = remains();
  console.log(
    `after 20 sandboxes: ${((after.rssBytes - before.rssBytes) / 1e6).toFixed(1)} MB more`,
  );
  assert.equal(after.children, before.children);
  assert.ok(
    after.descriptors <= before.descriptors,
    `${before.descriptors} to ${after.descriptors}`,
  );
  assert.ok(after.folders <= before.folders + 2, "other tests may have some at the same time");
});

Deno.test("generateAll has nothing to do: the guest is what its sources give", async () => {
  assert.deepEqual(await generateAll({ check: true }), [], "run deno task gen:sandbox");
});

import assert from "node:assert/strict";
import type { SandboxError, SandboxReason } from "../../../core/errors.ts";
import { narrowedPolicy, SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { processUsage } from "../../../remote/sandbox/host/process_usage.ts";
import { completeLimits, type SandboxLimits } from "../../../remote/sandbox/limits.ts";
import { bundleOf } from "./_bundles.ts";

const MB = 1_000_000;

/** Runs code until a limit ends it. Gives the error, the time that took, and the most memory that was seen. */
async function endOf(
  code: string,
  limits: SandboxLimits,
): Promise<{ error: SandboxError; ms: number; peakBytes: number }> {
  await using host = new SandboxHost({ warm: 0 });
  const bundle = await bundleOf(`export const attack = async () => { ${code} };`);
  const sandbox = await host.load(bundle, { policy: { limits } });
  const base = processUsage(sandbox.pid)!.sharedBytes;
  let peakBytes = 0;
  const timer = setInterval(() => {
    const usage = processUsage(sandbox.pid);
    if (usage !== undefined) peakBytes = Math.max(peakBytes, usage.residentBytes - base);
  }, 2);
  const start = performance.now();
  try {
    const args = new Uint8Array([0x90]);
    const operation = { kind: "apply", target: 0, path: ["attack"], args, callbacks: [] } as const;
    const error = await sandbox.operate({ ...operation, path: ["attack"], callbacks: [] }).then(
      () => assert.fail("it was not ended"),
      (thrown) => thrown,
    );
    return { error, ms: performance.now() - start, peakBytes };
  } finally {
    clearInterval(timer);
  }
}

function limit(
  name: string,
  code: string,
  { limits, reason, check }: {
    limits: SandboxLimits;
    reason: SandboxReason;
    check(figures: { ms: number; peakBytes: number; message: string }): void;
  },
): void {
  Deno.test(`Sandbox holds ${name}`, async () => {
    const { error, ms, peakBytes } = await endOf(code, limits);
    console.log(`${error.message} after ${ms.toFixed(0)} ms, ${(peakBytes / MB).toFixed(0)} MB`);
    assert.equal(error.reason, reason, String(error));
    check({ ms, peakBytes, message: error.message });
  });
}

/** The most that a time may be that was limited: a busy machine lets the watchdog look late. */
function within(ms: number): number {
  return ms + Math.max(250, 0.2 * ms);
}

/** What takes memory, each in its own way, as fast as it can. */
const bombs = {
  "small buffers": "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
  "large buffers": "const all = []; for (;;) all.push(new Uint8Array(64e6).fill(1));",
  "shared buffers":
    "const all = []; for (;;) all.push(new Uint8Array(new SharedArrayBuffer(8e6)).fill(1));",
  "objects": "const all = []; for (;;) all.push({ all });",
  "strings": `const all = []; const bytes = new Uint8Array(8e6).fill(65);
    for (let i = 0;; i++) { bytes[0] = i; all.push(new TextDecoder().decode(bytes)); }`,
  "WebAssembly memory": `const memory = new WebAssembly.Memory({ initial: 1 });
    for (;;) { memory.grow(320); new Uint8Array(memory.buffer, memory.buffer.byteLength - 2e7).fill(1); }`,
};

/** As told by the error: what the process had when it was ended. */
function memoryTold(message: string): number {
  return Number(/used ([\d.]+) MB/.exec(message)?.[1] ?? NaN);
}

for (const [kind, code] of Object.entries(bombs)) {
  limit(`memory of 128 MB, taken as ${kind}`, code, {
    limits: { memoryBytes: 128 * MB },
    reason: "memory",
    check: ({ peakBytes, message }) => {
      assert.ok(peakBytes < 1.2 * 128 * MB, `${peakBytes / MB} MB`);
      const told = memoryTold(message); // V8 may see first that its heap is full
      assert.ok(!(told >= 1.2 * 128), message);
    },
  });
}

Deno.test("Sandbox holds memory of 128 MB while its host is busy", async () => {
  await using host = new SandboxHost({ warm: 0 });
  const bundle = await bundleOf(`export const attack = () => { ${bombs["large buffers"]} };`);
  const sandbox = await host.load(bundle, { policy: { limits: { memoryBytes: 128 * MB } } });
  const args = new Uint8Array([0x90]);
  const attack = sandbox.operate({
    kind: "apply",
    target: 0,
    path: ["attack"],
    args,
    callbacks: [],
  });
  setTimeout(() => { // once it was sent
    const end = performance.now() + 500;
    while (performance.now() < end); // none of the host's own timers runs
  }, 5);
  const error: SandboxError = await attack.then(() => assert.fail("it was not ended"), (e) => e);
  console.log(error.message);
  assert.equal(error.reason, "memory");
  assert.ok(memoryTold(error.message) < 1.2 * 128, error.message);
});

limit("CPU time of 2 s", "for (;;);", {
  limits: { cpuMs: 2_000 },
  reason: "cpu",
  check: ({ message }) => {
    const used = Number(/used (\d+) ms/.exec(message)?.[1]);
    assert.ok(used >= 2_000 && used <= within(2_000), `${used} ms`);
  },
});

limit("wall time of 10 s", "for (;;) await new Promise((r) => setTimeout(r, 50));", {
  limits: { wallMs: 10_000 },
  reason: "wall-time",
  check: ({ message }) => {
    const ran = Number(/ran for (\d+) ms/.exec(message)?.[1]);
    assert.ok(ran >= 10_000 && ran <= within(10_000), `${ran} ms`);
  },
});

limit("idle time", "await new Promise(() => {});", {
  limits: { idleMs: 2_000 }, // 60 s takes the same path and too much of the tests' time
  reason: "idle",
  check: ({ message }) => {
    const idle = Number(/idle for (\d+) ms/.exec(message)?.[1]);
    assert.ok(idle >= 2_000 && idle <= within(2_000), `${idle} ms`);
  },
});

Deno.test("completeLimits fills in defaults and refuses what is no limit", () => {
  assert.equal(completeLimits({ cpuMs: 5 }).cpuMs, 5);
  assert.equal(completeLimits({}).idleMs, 60_000);
  assert.throws(() => completeLimits({ wallMs: 0 }), RangeError);
  assert.throws(() => completeLimits({ wallMs: "1" as never }), RangeError);
});

Deno.test("narrowedPolicy takes of each what is less", () => {
  const wide = { limits: { cpuMs: 5 }, permissions: { net: ["a", "b"], env: ["X"] } };
  const narrow = narrowedPolicy(wide, {
    limits: { cpuMs: 9, wallMs: 7 },
    permissions: { net: ["a:80"], read: ["/"] },
    isolation: "bwrap",
  });
  assert.equal(narrow.limits!.cpuMs, 5);
  assert.equal(narrow.limits!.wallMs, 7);
  assert.deepEqual(narrow.permissions, { net: ["a:80"], read: [], env: [] });
  assert.equal(narrow.isolation, "bwrap");
  assert.deepEqual(narrowedPolicy(wide, {}).permissions, wide.permissions);
});

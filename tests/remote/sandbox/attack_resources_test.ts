import assert from "node:assert/strict";
import { SandboxError } from "../../../core/errors.ts";
import { attempt, ended, withGuest } from "./_attack.ts";

const MiB = 1 << 20;
const cpu = { reason: "cpu", policy: { limits: { cpuMs: 300 } } } as const;
const memory = { reason: "memory", policy: { limits: { memoryBytes: 64 * MiB } } } as const;

ended("a busy loop", "for (;;);", cpu);
ended(
  "a busy microtask loop",
  "const spin = () => Promise.resolve().then(spin); await spin();",
  cpu,
);
ended("a loop of timers", "for (;;) await new Promise((r) => setTimeout(r, 0));", {
  reason: "wall-time",
  policy: { limits: { wallMs: 500 } },
});
ended("a regular expression bomb", `/^(a+)+$/.test("a".repeat(64) + "b");`, cpu);
ended("a busy loop while it loads", "", {
  reason: "cpu",
  policy: { limits: { cpuMs: 300 } },
  prelude: "for (;;);",
});
ended("Atomics.wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);", {
  reason: "idle",
  policy: { limits: { idleMs: 400 } },
});
ended("a promise that never settles", "await new Promise(() => {});", {
  reason: "idle",
  policy: { limits: { idleMs: 400 } },
});

ended("a heap bomb", "const all = []; for (;;) all.push({ all: [1, 2, 3] });", memory);
ended(
  "an ArrayBuffer bomb",
  "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
  memory,
);
ended(
  "one ArrayBuffer that is too large",
  "new Uint8Array(512 * 1024 * 1024).fill(1); await 1; await new Promise((r) => setTimeout(r, 1000));",
  memory,
);
ended(
  "a WebAssembly memory bomb",
  `const memory = new WebAssembly.Memory({ initial: 1 });
  for (;;) { memory.grow(160); new Uint8Array(memory.buffer).fill(1); }`,
  memory,
);
ended(
  "a string bomb",
  `const all = []; for (let i = 0;; i++) all.push((String(i) + "x".repeat(1e6)).normalize("NFD") + i);`,
  memory,
);
ended("a Map bomb", "const map = new Map(); for (let i = 0;; i++) map.set(i, [i]);", memory);
ended(
  "a bomb of workers",
  `const { Worker } = await import("node:worker_threads");
  for (let i = 0; i < 500; i++) new Worker("setInterval(() => {}, 1000)", { eval: true });
  await new Promise((r) => setTimeout(r, 20_000));`,
  memory,
);

ended(
  "more output than it may send",
  `for (;;) { console.log("x".repeat(4000)); await new Promise((r) => setTimeout(r, 1)); }`,
  { reason: "output", policy: { limits: { outputBytes: 100_000 } } },
);
ended(
  "a flood on its standard output",
  `const { stdout } = await import("node:process");
  for (;;) stdout.write("x".repeat(65536));`,
  { reason: "output" },
);
ended(
  "a flood of unhandled rejections",
  "for (let i = 0; i < 1e5; i++) Promise.reject(new Error(String(i))); await new Promise(() => {});",
  { reason: "crash" },
);
ended("process.abort", `(await import("node:process")).abort();`, { reason: "crash" });
ended("a kill of its own process", `(await import("node:process")).kill(Deno.pid, "SIGKILL");`, {
  reason: "crash",
});

Deno.test("Sandbox contains process.exit", async () => {
  const { error } = await attempt(`import("node:process").then((m) => m.exit(0))`);
  assert.match(error!, /is not a function/);
});

Deno.test("Sandbox contains deep recursion", async () => {
  const { error } = await attempt("(function deep() { return 1 + deep(); })()");
  assert.match(error!, /RangeError: Maximum call stack/);
});

Deno.test("Sandbox contains a million timers", async () => {
  const error = await withGuest(
    `export function attack() { for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6); return 1; }
    export const alive = () => 42;`,
    async (guest) => {
      await guest.attack!();
      assert.equal(await guest.alive!(), 42);
    },
  ).then(() => undefined, (thrown) => thrown);
  assert.ok(error === undefined || (error instanceof SandboxError && error.reason === "memory"));
});

Deno.test("Sandbox drops lines of a console that is too loud", async () => {
  await withGuest(
    `export function attack() { for (let i = 0; i < 1e5; i++) console.log(i); return 1; }`,
    async (guest) => {
      assert.equal(await guest.attack!(), 1);
    },
  );
});

Deno.test("Sandbox ends a guest that calls back without end: output", async () => {
  let called = 0;
  const attack = withGuest(
    `export async function attack(callback) { for (;;) callback(); }`,
    async (guest) => {
      await guest.attack!(() => called++);
    },
    { policy: { limits: { messagesPerSecond: 1000 } } },
  );
  await assert.rejects(
    attack,
    (error: SandboxError) => ["output", "memory"].includes(error.reason),
  );
});

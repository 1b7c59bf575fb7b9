import assert from "node:assert/strict";
import { RemoteExecutor } from "../../../remote/client/remote_executor.ts";
import { SandboxExecutor } from "../../../remote/sandbox/mod.ts";
import { serve } from "../../../remote/server/mod.ts";
import { RemoteError } from "../../../core/errors.ts";
import { TcpProxy } from "./_tcp_proxy.ts";
import type * as calculatorModule from "./_demo/calculator.ts";
import type * as counterModule from "./_demo/counter.ts";
import type * as validatedModule from "./_demo/pkg/counters/validated.ts";

const counterUrl = new URL("./_demo/counter.ts", import.meta.url);

async function take<T>(count: number, values: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  if (count === 0) return taken;
  for await (const value of values) {
    taken.push(value);
    if (taken.length === count) break;
  }
  return taken;
}

/** The same things must hold for a module in a sandbox of this machine and in one of a server. */
function test(
  what: string,
  run: (executor: SandboxExecutor | RemoteExecutor) => Promise<void>,
): void {
  Deno.test(`Remote ${what}, in a sandbox here`, async () => {
    await using executor = new SandboxExecutor();
    await run(executor);
  });
  Deno.test(`Remote ${what}, on a server`, async () => {
    await using server = await serve({ port: 0 });
    await using executor = new RemoteExecutor({ port: server.port });
    await run(executor);
  });
}

test("runs the original's counter: 10, 11, 16", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  await using counter = await new module.Counter(10);
  assert.equal(await counter.value, 10);
  assert.equal(await counter.increment(), 11);
  assert.equal(await counter.add(5), 16);
});

test("runs the original's calculator", async (executor) => {
  await using module = await executor.import<typeof calculatorModule>(
    new URL("./_demo/calculator.ts", import.meta.url),
  );
  await using calculator = await new module.Calculator();
  assert.equal(await calculator.add(2, 3), 5);
  assert.equal(await calculator.multiply(10, 5), 50);
  assert.equal(await calculator.running(100), 100);
  assert.equal(await calculator.running(50), 150);
  assert.deepEqual(await calculator.history, [
    "add(2, 3) = 5",
    "multiply(10, 5) = 50",
    "running(100) = 100",
    "running(50) = 150",
  ]);
});

test("streams generators, and ends them where their reader stops", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  assert.deepEqual(await take(10, module.fibonacci()), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
  assert.deepEqual(await Array.fromAsync(module.squares(5)), [0, 1, 4, 9, 16]);
  assert.deepEqual(await Array.fromAsync(module.countSlowly(4)), [0, 1, 2, 3]);
  assert.deepEqual(await take(5, module.endless()), [0, 1, 2, 3, 4]);
  assert.equal(await module.ended, 1);
  assert.deepEqual(await take(5, module.endlessly()), [0, 1, 2, 3, 4]);
  assert.equal(await module.endedLater, 1);
  const awaited = await module.squares(3);
  assert.deepEqual(await Array.fromAsync(awaited), [0, 1, 4]);
  await using counter = await new module.Counter(3);
  assert.deepEqual(await Array.fromAsync(counter.below()), [0, 1, 2]);
});

test("keeps instances apart, also when they are used at the same time", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  const counters = await Promise.all([1, 2].map(() => new module.Counter(0)));
  await Promise.all(
    counters.flatMap((counter, index) =>
      Array.from({ length: 10 * (index + 1) }, () => counter.increment())
    ),
  );
  assert.deepEqual(await Promise.all(counters.map((counter) => counter.value)), [10, 20]);
  assert.equal(await module.Counter.made, 2);
});

test("has statics, properties, setters and returned objects", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  assert.deepEqual(await module.settings, { depth: 3, names: ["a", "b"] });
  const counter = await module.Counter.zero();
  (counter as { value: unknown }).value = 7;
  assert.equal(await counter.value, 7);
  assert.deepEqual(await counter.events, []);
  const addTwo = await module.adder(2);
  assert.equal(await addTwo(40), 42);
  (counter as { value: unknown }).value = -1;
  await assert.rejects(Promise.resolve(counter.value), { name: "RangeError", message: /below 0/ });
  assert.equal(await counter.value, 7, "only the next use is told");
});

test("gives objects back to their own module, and to no other", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  const [one, two] = await Promise.all([new module.Counter(1), new module.Counter(20)]);
  assert.deepEqual(await module.total([one, one], { counter: two }), [22, true]);
  await two.increment();
  assert.deepEqual(await module.total([one, two], { counter: two }), [43, false]);
  const addTwo = await module.adder(2);
  assert.deepEqual(await module.mapAll([1, 2], addTwo), [3, 4]);
  await using other = await executor.import<typeof counterModule>(counterUrl);
  await assert.rejects(other.total([one], { counter: two }), {
    name: "TypeError",
    message: /remote object as it is of another module/,
  });
  assert.deepEqual(await other.mapAll([1], addTwo), [3]);
  assert.equal(JSON.stringify({ one }), "{}", "and asks nothing of it");
});

test("tells of an assignment that failed when the object is let go", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  const use = async () => {
    await using sealed = await module.sealed;
    (sealed as { a: unknown }).a = 2;
  };
  await assert.rejects(use(), { name: "TypeError", message: /read-only/ });
});

test("lets objects go when they are disposed", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  {
    await using counter = await new module.Counter(5);
    await counter.increment();
  }
  assert.deepEqual(await module.disposed, [6]);
});

test("throws what the other side threw, with the user's own file and line", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  await using counter = await new module.Counter(1);
  const error = await counter.fail().then(() => undefined, (thrown: Error) => thrown);
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, "failed at 1");
  const source = (await Deno.readTextFile(counterUrl)).split("\n");
  const line = source.findIndex((text) => text.includes("failed at")) + 1;
  assert.ok(error.stack!.includes(`${counterUrl.href}:${line}:`), String(error.stack));
  await assert.rejects(Promise.resolve(new module.Counter(NaN)), { name: "TypeError" });
});

test("calls functions among the arguments back", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  assert.deepEqual(await module.mapAll([1, 2, 3], (value) => value * 10), [10, 20, 30]);
  const shares: number[] = [];
  assert.equal(await module.report({ onProgress: (share) => void shares.push(share) }), "done");
  await module.squares(0);
  assert.deepEqual(shares, [0, 0.5, 1]);
  const failing = module.mapAll([1], () => {
    throw new RangeError("not here");
  });
  await assert.rejects(failing, { name: "RangeError", message: "not here" });
});

test("refuses at once what cannot be serialized", async (executor) => {
  await using module = await executor.import<typeof counterModule>(counterUrl);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const call = module.mapAll([circle as never], (value) => value);
  await assert.rejects(call, { name: "SerializationError", message: /circular/ });
  const construct = new module.Counter(Symbol("x") as never);
  await assert.rejects(Promise.resolve(construct), {
    name: "SerializationError",
    message: /symbol/,
  });
});

test("runs a class with imports of its folder, its parents', and npm", async (executor) => {
  await using module = await executor.import<typeof validatedModule>(
    new URL("./_demo/pkg/counters/validated.ts", import.meta.url),
  );
  await using validated = await new module.Validated();
  assert.equal(await validated.add(2), "value(2), ");
  await assert.rejects(validated.add(0.5), /expected int/);
});

Deno.test("Remote fails calls that are under way when the sandbox dies", async () => {
  await using executor = new SandboxExecutor({ limits: { wallMs: 500 } });
  const module = await executor.import<typeof counterModule>(counterUrl);
  const call = module.mapAll([1], () => new Promise<number>(() => {}));
  await assert.rejects(call, { name: "SandboxError", reason: "wall-time" });
  await assert.rejects(module.squares(1).next(), { name: "SandboxError", reason: "wall-time" });
});

Deno.test("Remote tells why a module on a server was ended", async () => {
  await using server = await serve({ port: 0, userCode: { limits: { wallMs: 800 } } });
  await using executor = new RemoteExecutor({ port: server.port });
  const module = await executor.import<typeof counterModule>(counterUrl);
  const call = module.mapAll([1], () => new Promise<number>(() => {}));
  await assert.rejects(call, { name: "SandboxError", reason: "wall-time" });
  await assert.rejects(Promise.resolve(module.settings), /are gone/);
});

Deno.test("Remote keeps objects apart from connections", async () => {
  await using server = await serve({ port: 0 });
  const proxy = new TcpProxy(server.port);
  await using _closing = proxy;
  await using executor = new RemoteExecutor({ port: proxy.port });
  await using module = await executor.import<typeof counterModule>(counterUrl);
  await using counter = await new module.Counter(10);
  assert.equal(await counter.increment(), 11);
  proxy.cut();
  const next = async () => {
    for (let attempt = 0;; attempt++) {
      try {
        return await counter.increment();
      } catch (error) {
        if (!(error instanceof RemoteError && error.retryable) || attempt === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  assert.equal(await next(), 12);
});

Deno.test("Remote sessions of one token are no others'", async () => {
  await using server = await serve({ port: 0 });
  await using one = new RemoteExecutor({ port: server.port });
  await using other = new RemoteExecutor({ port: server.port });
  const [a, b] = await Promise.all(
    [one, other].map((executor) => executor.import<typeof counterModule>(counterUrl)),
  );
  await new a!.Counter(1);
  assert.equal(await a!.Counter.made, 1);
  assert.equal(await b!.Counter.made, 0);
});

import assert from "node:assert/strict";
import { NodeError, Pipeline, SandboxError } from "@remotemedia/sdk";
import { CodeExecutorNode } from "../../../nodes/code/mod.ts";

const run = (source: string, inputs: unknown[], options = {}) =>
  Array.fromAsync(new Pipeline([new CodeExecutorNode({ source, ...options })]).run(inputs));

Deno.test("CodeExecutorNode runs text for each chunk", async () => {
  assert.deepEqual(await run("result = input * 2", [1, 2]), [2, 4]);
  assert.deepEqual(await run("if (input > 1) result = { got: input }", [1, 2]), [{ got: 2 }]);
});

Deno.test("CodeExecutorNode takes TypeScript, awaits, and keeps what is global", async () => {
  const source = `interface Item { n: number }
    const item = input as Item;
    await new Promise((resolve) => setTimeout(resolve, 1));
    const all = ((globalThis as any).all ??= []) as number[];
    all.push(item.n satisfies number);
    result = all.length > 1 ? all : undefined;`;
  assert.deepEqual(await run(source, [{ n: 1 }, { n: 2 }]), [[1, 2]]);
});

Deno.test("CodeExecutorNode gives text no rights and no imports", async () => {
  await assert.rejects(
    run("result = Deno.readTextFileSync('/etc/passwd')", [1]),
    (error: NodeError) => {
      assert.ok(error.cause instanceof SandboxError);
      return error.cause.reason === "denied";
    },
  );
  for (const text of [`} import x from "https://example.com/x.js"; {`, `} import "npm:ms"; {`]) {
    await assert.rejects(run(text, [1]), NodeError);
  }
});

Deno.test("CodeExecutorNode ends text that takes too long or too much", async () => {
  const reason = (wanted: string) => (error: NodeError) =>
    error.cause instanceof SandboxError && error.cause.reason === wanted;
  await assert.rejects(run("for (;;);", [1], { timeoutMs: 300 }), reason("wall-time"));
  const bomb = "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));";
  await assert.rejects(run(bomb, [1], { memoryBytes: 2 ** 25 }), reason("memory"));
});

Deno.test("CodeExecutorNode tells the line of an error in the text", async () => {
  const text = `// one\n// two\nthrow new RangeError("three");`;
  await assert.rejects(run(text, [1]), (error: NodeError) => {
    assert.ok(error.cause instanceof RangeError);
    assert.match(String(error.cause.stack), /bundle\.ts:3:/);
    return true;
  });
  await assert.rejects(run("result = (", [1]), (error: NodeError) => error.phase === "open");
  assert.throws(() => new CodeExecutorNode({ source: "" }), RangeError);
});

Deno.test("CodeExecutorNode gives results as they travel, and tells of those that cannot", async () => {
  assert.deepEqual(await run("class A { x = 1; m() {} } result = new A();", [1]), [{ x: 1 }]);
  await assert.rejects(run("result = () => 1;", [1]), /is a function/);
  await assert.rejects(run("result = (function* () {})();", [1]), /lives in this process/);
});

Deno.test("CodeExecutorNode refuses a time that no timer can wait", () => {
  const source = "result = input";
  assert.throws(() => new CodeExecutorNode({ source, timeoutMs: 2 ** 31 }), RangeError);
});

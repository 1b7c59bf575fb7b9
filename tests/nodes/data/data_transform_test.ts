import { deepEqual, equal, rejects } from "node:assert/strict";
import { AudioFrame } from "../../../core/mod.ts";
import { DataTransform } from "../../../nodes/data/mod.ts";
import { through } from "./_through.ts";

Deno.test("DataTransform reshapes, filters and reads bindings", async () => {
  const node = new DataTransform({
    expression: `$[score > $least].{ "name": $uppercase(name), "half": score / 2 }`,
    bindings: { least: 5 },
  });
  const chunks = [{ name: "a", score: 4 }, { name: "b", score: 8 }];
  deepEqual(await through(node, chunks), [{ name: "B", half: 4 }]);
});

Deno.test("DataTransform gives plain arrays, null, and the fields of frames", async () => {
  const [list] = await through(new DataTransform({ expression: "a.b" }), [{
    a: [{ b: 1 }, { b: 2 }],
  }]);
  deepEqual(Object.getOwnPropertyNames(list), ["0", "1", "length"]);
  deepEqual(await through(new DataTransform({ expression: "null" }), [1]), [null]);
  const frame = new AudioFrame({ data: new Float32Array(80), sampleRate: 8000, timestamp: 5 });
  deepEqual(await through(new DataTransform({ expression: "timestamp + sampleRate" }), [frame]), [
    8005,
  ]);
  deepEqual(await through(new DataTransform({ expression: "$" }), [frame]), [frame]);
});

Deno.test("DataTransform ends an expression that does not end", async () => {
  const forever = `($f := function($n) { $n > 0 ? $f($n + 1) : 0 }; $f(1))`;
  const start = performance.now();
  await rejects(
    through(new DataTransform({ expression: forever, timeoutMs: 100 }), [1]),
    /Cannot evaluate the expression: .*100/,
  );
  equal(performance.now() - start < 5000, true);
  const deep = `($f := function($n) { 1 + $f($n + 1) }; $f(1))`;
  await rejects(
    through(new DataTransform({ expression: deep, maxDepth: 50 }), [1]),
    /Stack overflow/,
  );
});

Deno.test("DataTransform says what in the expression failed", async () => {
  await rejects(
    through(new DataTransform({ expression: `$number(name)` }), [{ name: "x" }]),
    /failed on chunk 0: Cannot evaluate the expression: Unable to cast value to a number: "x"/,
  );
});

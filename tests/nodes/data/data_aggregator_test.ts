import { deepEqual, rejects } from "node:assert/strict";
import { DataAggregator } from "../../../nodes/data/mod.ts";
import { through } from "./_through.ts";

Deno.test("DataAggregator makes each of its operations of tumbling windows", async () => {
  const values = async (operation: "sum") =>
    (await through(new DataAggregator({ operation, size: 3 }), [4, 1, 7, 2, 5])).map(({ value }) =>
      value
    );
  deepEqual(await values("sum"), [12, 7]);
  deepEqual(await values("average" as "sum"), [4, 3.5]);
  deepEqual(await values("count" as "sum"), [3, 2]);
  deepEqual(await values("min" as "sum"), [1, 2]);
  deepEqual(await values("max" as "sum"), [7, 5]);
  deepEqual(await values("collect" as "sum"), [[4, 1, 7], [2, 5]]);
});

Deno.test("DataAggregator slides, and gives at the end only what is new", async () => {
  const windows = (size: number, step: number, count: number) =>
    through(new DataAggregator({ size, step }), Array.from({ length: count }, (_, index) => index));
  deepEqual((await windows(3, 1, 4)).map(({ value }) => value), [[0, 1, 2], [1, 2, 3]]);
  deepEqual(await windows(3, 2, 6), [
    { operation: "collect", value: [0, 1, 2], count: 3, start: 0, end: 3 },
    { operation: "collect", value: [2, 3, 4], count: 3, start: 2, end: 5 },
    { operation: "collect", value: [4, 5], count: 2, start: 4, end: 6 },
  ]);
});

Deno.test("DataAggregator goes by timestamps, past empty windows, and anew where they jump back", async () => {
  const chunks = [0, 5, 9.999, 10, 25, 1_000_000, 2, 3].map((ms) => ({
    timestamp: ms * 1000,
    v: ms,
  }));
  const node = new DataAggregator({ operation: "count", unit: "ms", size: 10 });
  deepEqual((await through(node, chunks)).map(({ value, start, end }) => [value, start, end]), [
    [3, 0, 10_000],
    [1, 10_000, 20_000],
    [1, 20_000, 30_000],
    [1, 1_000_000_000, 1_000_010_000],
    [2, 2000, 12_000],
  ]);
  const sliding = new DataAggregator({
    operation: "sum",
    field: "v",
    unit: "ms",
    size: 10,
    step: 5,
  });
  const sums = await through(
    sliding,
    [0, 4, 6, 11, 30].map((ms) => ({ timestamp: ms * 1000, v: ms })),
  );
  deepEqual(sums.map(({ value, start }) => [value, start / 1000]), [
    [10, 0],
    [17, 5],
    [11, 10],
    [30, 25],
  ]);
});

Deno.test("DataAggregator tells of a value that is no number, a missing time, a window that is full", async () => {
  await rejects(
    through(new DataAggregator({ operation: "sum", field: "a.b" }), [{ a: { b: "1" } }]),
    /Cannot take the sum as "a\.b" is no finite number: text/,
  );
  await rejects(
    through(new DataAggregator({ operation: "max" }), [1, Infinity]),
    /Cannot take the max as the chunk is no finite number: Infinity/,
  );
  await rejects(
    through(new DataAggregator({ unit: "ms" }), [1]),
    /DataAggregator goes by the timestamp/,
  );
  const full = new DataAggregator({ unit: "ms", maxChunks: 2 });
  await rejects(
    through(full, [1, 2, 3].map((timestamp) => ({ timestamp }))),
    /The window holds 2 values already, which is maxChunks/,
  );
});

Deno.test("DataAggregator leaves out of a sliding window what is older, in whatever order it came", async () => {
  const chunks = [0, 12, 5, 25, 45].map((ms) => ({ timestamp: ms * 1000, ms }));
  const node = new DataAggregator({ unit: "ms", size: 20, step: 10, field: "ms" });
  const windows = await through(node, chunks) as { start: number; value: unknown }[];
  deepEqual(windows.map(({ start, value }) => [start / 1000, value]), [
    [0, [0, 12, 5]],
    [10, [12, 25]],
    [20, [25]],
    [30, [45]],
  ]);
});

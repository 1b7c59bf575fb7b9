import assert from "node:assert/strict";
import { Batcher } from "../../../nodes/ml/_batcher.ts";

/** A batcher whose runs end when the test says so. */
function held(rules: { maxBatch: number; maxWaitMs: number }) {
  const runs: { jobs: number[]; done: PromiseWithResolvers<number[]> }[] = [];
  const batcher = new Batcher<number, number>((jobs) => {
    const done = Promise.withResolvers<number[]>();
    runs.push({ jobs, done });
    return done.promise;
  }, rules);
  const finish = (index: number) => runs[index]!.done.resolve(runs[index]!.jobs.map((n) => n * 10));
  return { batcher, runs, finish };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("Batcher runs the first job at once, and what comes meanwhile together", async () => {
  const { batcher, runs, finish } = held({ maxBatch: 8, maxWaitMs: 0 });
  const results = [1, 2, 3].map((job) => batcher.submit(job));
  assert.deepEqual(runs.map(({ jobs }) => jobs), [[1]]);
  finish(0);
  await settled();
  assert.deepEqual(runs.map(({ jobs }) => jobs), [[1], [2, 3]]);
  finish(1);
  assert.deepEqual(await Promise.all(results), [10, 20, 30]);
});

Deno.test("Batcher waits for others as long as maxWaitMs, and not for more than maxBatch", async () => {
  const { batcher, runs, finish } = held({ maxBatch: 3, maxWaitMs: 60_000 });
  const first = [1, 2].map((job) => batcher.submit(job));
  await settled();
  assert.equal(runs.length, 0);
  first.push(batcher.submit(3));
  assert.deepEqual(runs[0]!.jobs, [1, 2, 3]);
  finish(0);
  assert.deepEqual(await Promise.all(first), [10, 20, 30]);

  const brief = held({ maxBatch: 3, maxWaitMs: 5 });
  const late = brief.batcher.submit(4);
  while (brief.runs.length === 0) await settled();
  assert.deepEqual(brief.runs[0]!.jobs, [4]);
  brief.finish(0);
  assert.equal(await late, 40);
});

Deno.test("Batcher puts only jobs of one key together, the oldest first", async () => {
  const { batcher, runs, finish } = held({ maxBatch: 8, maxWaitMs: 0 });
  const jobs = [[0, "x"], [1, "a"], [2, "b"], [3, "a"]] as const;
  const results = jobs.map(([job, key]) => batcher.submit(job, key));
  for (const index of [0, 1, 2]) {
    finish(index);
    await settled();
  }
  assert.deepEqual(runs.map(({ jobs }) => jobs), [[0], [1, 3], [2]]);
  assert.deepEqual(await Promise.all(results), [0, 10, 20, 30]);
});

Deno.test("Batcher lets a cancelled job leave while it waits", async () => {
  const { batcher, runs, finish } = held({ maxBatch: 8, maxWaitMs: 0 });
  const controller = new AbortController();
  const [first, second] = [batcher.submit(1), batcher.submit(2, "", controller.signal)];
  const third = batcher.submit(3, "", new AbortController().signal);
  controller.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  await assert.rejects(batcher.submit(4, "", controller.signal), /enough/);
  finish(0);
  await settled();
  assert.deepEqual(runs[1]!.jobs, [3]);
  finish(1);
  assert.deepEqual(await Promise.all([first, third]), [10, 30]);
});

Deno.test("Batcher tells an error only to the job at fault", async () => {
  const sizes: number[] = [];
  const batcher = new Batcher<number, number>(async (jobs) => {
    await settled();
    sizes.push(jobs.length);
    if (jobs.includes(3)) throw new Error("three is bad");
    return jobs.map((job) => job * 10);
  }, { maxBatch: 8, maxWaitMs: 0 });
  const results = await Promise.allSettled([1, 2, 3, 4].map((job) => batcher.submit(job)));
  assert.deepEqual(results.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.deepEqual(sizes, [1, 3, 1, 1, 1]);
  assert.equal(await batcher.submit(5), 50);
});

/** Two nodes that work hard: each in a thread of its own, against both on the main thread. */

import { Pipeline } from "@remotemedia/sdk";
import { ThreadExecutor } from "../remote/threads/mod.ts";
import { Work } from "./_bench_nodes.ts";
import { compare } from "./_compare.ts";

await using executor = new ThreadExecutor({ threads: 2 });
const inputs = Array.from({ length: 64 }, () => 30_000);
const count = async (pipeline: Pipeline): Promise<number> =>
  (await Array.fromAsync(pipeline.run(inputs as never))).length;

console.log("two nodes that work hard");
await compare(
  {
    name: "both on the main thread",
    run: () => count(new Pipeline([new Work(), new Work()]) as never),
  },
  {
    name: "each in a thread of its own",
    run: () =>
      count(new Pipeline([new Work({}, { executor }), new Work({}, { executor })]) as never),
  },
  { atLeast: 1.7, unit: "chunks" },
);
console.log("one node, two chunks at once");
await compare(
  { name: "on the main thread", run: () => count(new Pipeline([new Work()]) as never) },
  {
    name: "in two threads",
    run: () => count(new Pipeline([new Work({}, { executor, concurrency: 2 })]) as never),
  },
  { atLeast: 1.7, unit: "chunks" },
);

/** 04: functions, objects and generators of a module that runs on a server, called from here. */
import { RemoteExecutor } from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";

await using server = await serve({ port: 0 }); // on another machine: deno task serve
await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });

const statistics = await executor.import<typeof import("./nodes/statistics.ts")>(
  new URL("./nodes/statistics.ts", import.meta.url),
);
console.log("mean", await statistics.mean([1, 2, 6])); // a function, run there

await using counter = await new statistics.Counter(10); // an object that lives there
console.log("counter", await counter.add(5));
for await (const value of counter.down()) { // its generator, ended there by break
  if (value < 13) break;
  console.log("down", value);
}

import { RemoteExecutor } from "../../remote/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { startChild } from "../remote/_child_server.ts";
import { fuzzDecoder, fuzzServer } from "../remote/_fuzz.ts";
import assert from "node:assert/strict";

Deno.test("Soak: five million mutated messages to the decoder, 300000 to a server", async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`seed ${seed}`);
  console.log(fuzzDecoder({ seed, count: 5_000_000 }));
  await using child = await startChild();
  console.log(await fuzzServer({ seed, count: 300_000, address: `127.0.0.1:${child.port}` }));
  await using executor = new RemoteExecutor({ port: child.port });
  assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
});

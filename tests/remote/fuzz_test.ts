import assert from "node:assert/strict";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { startChild } from "./_child_server.ts";
import { fuzzDecoder, fuzzServer } from "./_fuzz.ts";

const seed = Math.floor(Math.random() * 2 ** 32);

Deno.test("readBatch, readRequest and readExecute give a message or a SerializationError for 200000 mutated messages", () => {
  const { valid, longestMs } = fuzzDecoder({ seed, count: 200_000 });
  console.log(`seed ${seed}: ${valid} of 200000 still valid, longest ${longestMs.toFixed(1)} ms`);
  assert.ok(valid > 1_000, "too few get far into the decoder");
  assert.ok(valid < 150_000, "too few are wrong");
});

Deno.test("a server answers 10000 mutated messages with clear statuses, and goes on", async () => {
  await using child = await startChild();
  await using executor = new RemoteExecutor({ port: child.port });
  const rssMb = async () => {
    const [state] = await executor.status();
    assert.ok(state?.up);
    return state.rssBytes / 1e6;
  };
  const before = await rssMb();
  const address = `127.0.0.1:${child.port}`;
  const codes = await fuzzServer({ seed, count: 10_000, address });
  const after = await rssMb();
  console.log(
    `seed ${seed}: ${JSON.stringify(codes)}; ${before.toFixed(0)} to ${after.toFixed(0)} MB`,
  );
  assert.ok(after < before + 300);
  assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
});

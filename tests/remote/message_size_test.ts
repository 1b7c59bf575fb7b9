import assert from "node:assert/strict";
import { AudioFrame, Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { startPair } from "./_server.ts";

const MIB = 2 ** 20;

Deno.test("RemoteExecutor tells that a chunk is larger than a message may be, whatever is under way", async () => {
  await using pair = await startPair({ server: { maxMessageMb: 1, userCode: false } });
  for (const [session, delayMs] of [0, 1, 0, 5, 50, 1].entries()) {
    const pipeline = new Pipeline([new PassThrough({}, pair)]);
    const source = async function* () {
      for (const small of [1, 2, 3]) yield small;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      yield new Uint8Array(session % 2 === 0 ? 2 * MIB : 1.2 * MIB);
    };
    await assert.rejects(
      Array.fromAsync(pipeline.run(ReadableStream.from(source()))),
      (error) => {
        assert.ok(error instanceof RemoteError);
        assert.match(
          error.message,
          /^Cannot send a message of \d+ bytes to \S+ as it takes at most 1048576 \(maxMessageMb\)$/,
        );
        assert.equal(error.retryable, false);
        return true;
      },
    );
  }
  const pipeline = new Pipeline([new PassThrough({}, pair)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run([1])), [1]); // on the same connection
});

Deno.test("RemoteExecutor sends each chunk that fits into a message, though many wait together", async () => {
  await using pair = await startPair({ server: { maxMessageMb: 1, userCode: false } });
  const small = Array.from({ length: 2_000 }, (_, index) => `${index}`.padEnd(100));
  const inputs = [
    ...small,
    new Uint8Array(0.95 * MIB),
    ...small,
    new AudioFrame({ data: new Float32Array(0.24 * MIB), sampleRate: 16_000, timestamp: 0 }),
    new Uint8Array(0.95 * MIB),
    ...small,
    "x".repeat(0.95 * MIB),
  ];
  const pipeline = new Pipeline([new PassThrough<unknown>({}, pair)]);
  assert.deepEqual(await Array.fromAsync(pipeline.run(inputs)), inputs);
});

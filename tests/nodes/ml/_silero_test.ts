import assert from "node:assert/strict";
import { loadSilero, Silero } from "../../../nodes/ml/_silero.ts";
import { joinSamples, speech } from "../../../testing/frames.ts";

Deno.test("Silero gives what the model gives for windows with their context and state", async () => {
  const model = await loadSilero();
  const { ort, session } = model;
  const samples = joinSamples(await speech());
  const silero = new Silero(model);
  const sr = new ort.Tensor("int64", BigInt64Array.of(16_000n), []);
  let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
  for (let start = 16_000; start < 48_000; start += 512) {
    const window = samples.slice(start - 64, start + 512);
    if (start === 16_000) window.fill(0, 0, 64);
    const input = new ort.Tensor("float32", window, [1, 576]);
    const { output, stateN } = await session.run({ input, state, sr });
    state = stateN as typeof state;
    silero.window.set(window.subarray(64));
    assert.equal(await silero.run(), output!.data[0]);
  }
});

Deno.test("Silero goes on from a snapshot bit for bit", async () => {
  const model = await loadSilero();
  const [first, second] = [new Silero(model), new Silero(model)];
  const fill = (silero: Silero, seed: number) =>
    silero.window.set(Float32Array.from({ length: 512 }, (_, at) => Math.sin(at * seed) / 3));
  for (const seed of [0.1, 0.2, 0.3]) {
    fill(first, seed);
    await first.run();
  }
  fill(first, 0.4);
  second.restore(structuredClone(first.snapshot()));
  const expected = await first.run();
  assert.equal(await second.run(), expected);
  fill(first, 0.5);
  fill(second, 0.5);
  assert.equal(await second.run(), await first.run());
});

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

Deno.test("Silero gives the same to the bit for streams that run together", async () => {
  const model = await loadSilero();
  const samples = joinSamples(await speech());
  const streams = Array.from({ length: 7 }, () => new Silero(model));
  const alone = Array.from({ length: 7 }, () => new Silero(model));
  for (let window = 0; window < 20; window++) {
    const expected: number[] = [];
    for (const [at, silero] of alone.entries()) {
      const start = 30_000 + at * 9_001 + window * 512;
      silero.window.set(samples.subarray(start, start + 512));
      streams[at]!.window.set(silero.window);
      expected.push(await silero.run());
    }
    // in batches of changing size
    const split = window % 7;
    const actual = [
      ...split === 0 ? [] : await Silero.runTogether(streams.slice(0, split)),
      ...await Silero.runTogether(streams.slice(split)),
    ];
    assert.deepEqual(actual, expected);
    assert.ok(expected.some((probability) => probability > 0.5) || window < 3);
  }
  assert.deepEqual(streams.map((each) => each.snapshot()), alone.map((each) => each.snapshot()));
});

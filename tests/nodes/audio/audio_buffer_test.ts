import assert from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { AudioBuffer, type AudioBufferOptions } from "../../../nodes/mod.ts";
import { joinSamples, noise } from "../../../testing/frames.ts";
import { given } from "../_given.ts";

async function buffer(frames: AudioFrame[], options: AudioBufferOptions): Promise<AudioFrame[]> {
  return await Array.fromAsync(ReadableStream.from(frames).pipeThrough(new AudioBuffer(options)));
}

Deno.test("AudioBuffer gives frames of the exact size, and the rest at the end", async () => {
  for (const frameSize of [1, 100, 441, 512, 44_099, 50_000]) {
    const input = noise({ sampleRate: 44_100, numberOfChannels: 2, frameSize: 1631 });
    const output = await buffer(input, { frameSize });
    const sizes = output.map((frame) => frame.numberOfFrames);
    const rest = 44_100 % frameSize;
    assert.ok(sizes.slice(0, -1).every((size) => size === frameSize));
    assert.equal(sizes.at(-1), rest === 0 ? frameSize : rest);
    assert.deepEqual(joinSamples(output), joinSamples(input));
    for (const [index, frame] of output.entries()) {
      assert.equal(frame.timestamp, Math.round(index * frameSize * 1e6 / 44_100));
    }
  }
});

Deno.test("AudioBuffer counts frameMs in whole samples", async () => {
  const sizes = async (sampleRate: number, frameMs: number) =>
    (await buffer(noise({ sampleRate }), { frameMs }))[0]!.numberOfFrames;
  assert.equal(await sizes(48_000, 20), 960);
  assert.equal(await sizes(11_025, 10), 110);
  assert.equal(await sizes(8000, 0.01), 1);
});

Deno.test("AudioBuffer gives a frame the metadata of where it starts", async () => {
  const input = noise({ frameSize: 300, seconds: 0.1 })
    .map((frame, index) => frame.with({ metadata: { index } }));
  const output = await buffer(input, { frameSize: 500 });
  assert.deepEqual(output.map(({ metadata }) => metadata.index), [0, 1, 3, 5]);
});

Deno.test("AudioBuffer gives what is left where the format changes or time jumps", async () => {
  const first = noise({ sampleRate: 48_000, seconds: 0.05 });
  const parts = [
    first,
    noise({ sampleRate: 16_000, seconds: 0.05, timestamp: 50_000 }),
    noise({ sampleRate: 16_000, numberOfChannels: 2, seconds: 0.05, timestamp: 100_000 }),
    noise({ sampleRate: 16_000, numberOfChannels: 2, seconds: 0.05, timestamp: 900_000 }),
    noise({ sampleRate: 16_000, numberOfChannels: 2, seconds: 0.05, timestamp: 300_000 }),
  ];
  const output = await buffer(parts.flat(), { frameSize: 500 });
  const apart = await Promise.all(parts.map((part) => buffer(part, { frameSize: 500 })));
  assert.deepEqual(output, apart.flat());
});

Deno.test("AudioBuffer follows small steps in time", async () => {
  const input = noise({ seconds: 1 }).map((frame, index) =>
    frame.with({ timestamp: frame.timestamp + (index >= 10 ? 30_000 : 0) })
  );
  const output = await buffer(input, { frameSize: 320 });
  assert.deepEqual(output.map(({ timestamp }) => timestamp), input.map((frame) => frame.timestamp));
});

Deno.test("AudioBuffer drops empty frames and holds no more than a frame", async () => {
  const node = new AudioBuffer({ frameSize: 1000 });
  const empty = noise({})[0]!.with({ data: new Float32Array() });
  assert.deepEqual(await given(node.process(empty)), []);
  assert.deepEqual(await given(node.flush()), []);
  for (const frame of noise({ seconds: 10, frameSize: 333 })) await given(node.process(frame));
  const { samples, metadata } = node.snapshot() as { samples: Float32Array; metadata: unknown[] };
  assert.ok(samples.length < 1000);
  assert.ok(metadata.length <= 5);
});

Deno.test("AudioBuffer goes on from a snapshot taken anywhere", async () => {
  const input = [
    ...noise({ sampleRate: 44_100, numberOfChannels: 2, frameSize: 100, seconds: 0.1 }),
    ...noise({ sampleRate: 48_000, frameSize: 1000, seconds: 0.1, timestamp: 1e5 }),
  ].map((frame, index) => frame.with({ metadata: { index } }));
  const expected = await buffer(input, { frameSize: 512 });
  for (let at = 0; at <= input.length; at++) {
    const [first, second] = [512, 512].map((frameSize) => new AudioBuffer({ frameSize }));
    const outputs: AudioFrame[] = [];
    for (const frame of input.slice(0, at)) outputs.push(...await given(first!.process(frame)));
    second!.restore(structuredClone(first!.snapshot()));
    for (const frame of input.slice(at)) outputs.push(...await given(second!.process(frame)));
    outputs.push(...await given(second!.flush()));
    assert.deepEqual(outputs, expected, `cut at ${at}`);
  }
});

Deno.test("AudioBuffer wants exactly one size", () => {
  const cases: [AudioBufferOptions, RegExp][] = [
    [{}, /exactly one of frameSize and frameMs/],
    [{ frameSize: 10, frameMs: 10 }, /exactly one of frameSize and frameMs/],
    [{ frameSize: 0 }, /option "frameSize" .* 0$/],
    [{ frameSize: 1.5 }, /option "frameSize" .* 1\.5/],
    [{ frameMs: -1 }, /option "frameMs" .* -1/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new AudioBuffer(options), { message });
  }
});

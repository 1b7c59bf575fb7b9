import assert from "node:assert/strict";
import { AudioFrame } from "../../../core/mod.ts";
import { AudioTransform, type AudioTransformOptions } from "../../../nodes/mod.ts";
import { cut, joinSamples, noise, sine } from "../../../testing/frames.ts";
import { given } from "../_given.ts";

async function transform(
  frames: AudioFrame[],
  options: AudioTransformOptions,
): Promise<AudioFrame[]> {
  return await Array.fromAsync(
    ReadableStream.from(frames).pipeThrough(new AudioTransform(options)),
  );
}

/** A stereo frame of the given samples. */
function planar(channels: number[][], sampleRate = 16_000): AudioFrame {
  const data = Float32Array.from(channels.flat());
  return new AudioFrame({ data, sampleRate, numberOfChannels: channels.length });
}

/** The channels of a single frame. */
function channelsOf(frame: AudioFrame): number[][] {
  return Array.from({ length: frame.numberOfChannels }, (_, index) => [...frame.channel(index)]);
}

function sweep(frames: number, rate: number, to: number): Float32Array {
  let phase = 0;
  return Float32Array.from({ length: frames }, (_, index) => {
    phase += 2 * Math.PI * (20 + to * index / frames) / rate;
    return 0.5 * Math.min(1, index / 4000, (frames - index) / 4000) * Math.sin(phase);
  });
}

Deno.test("AudioTransform 48 to 16 to 48 kHz keeps a sweep above 80 dB, whatever the frames", async () => {
  const signal = sweep(3 * 48_000, 48_000, 7200);
  let first: Float32Array | undefined;
  for (const frameSize of [480, 1, 777, 48_000]) {
    const input = cut(frameSize === 1 ? signal.slice(0, 6000) : signal, {
      sampleRate: 48_000,
      frameSize,
    });
    const down = await transform(input, { sampleRate: 16_000 });
    const up = joinSamples(await transform(down, { sampleRate: 48_000 }));
    if (frameSize === 1) {
      assert.equal(up.length, 6000);
      assert.deepEqual(up.subarray(0, 4500), first!.subarray(0, 4500));
      continue;
    }
    first ??= up;
    assert.deepEqual(up, first);
  }
  assert.equal(first!.length, signal.length);
  let [power, error] = [0, 0];
  for (const [index, value] of signal.entries()) {
    power += value ** 2;
    error += (value - first![index]!) ** 2;
  }
  assert.ok(10 * Math.log10(power / error) > 80);
});

Deno.test("AudioTransform gives each frame once, with its time and metadata", async () => {
  for (const frameSize of [7, 441, 882, 100_000]) {
    const input = noise({ sampleRate: 44_100, numberOfChannels: 2, frameSize, timestamp: 5e6 })
      .map((frame, index) => frame.with({ metadata: { index } }));
    const output = await transform(input, { sampleRate: 16_000, channels: 1 });
    assert.equal(output.length, input.length);
    for (const [index, frame] of output.entries()) {
      assert.equal(frame.timestamp, input[index]!.timestamp);
      assert.deepEqual(frame.metadata, { index });
      assert.equal(frame.sampleRate, 16_000);
      assert.equal(frame.numberOfChannels, 1);
    }
    assert.equal(joinSamples(output).length, 16_000);
  }
});

Deno.test("AudioTransform is in time: a click stays where it is", async () => {
  const data = new Float32Array(48_000);
  data[30_000] = 1;
  const input = cut(data, { sampleRate: 48_000, frameSize: 480 });
  const output = joinSamples(await transform(input, { sampleRate: 16_000 }));
  const peak = output.indexOf(Math.max(...output));
  assert.equal(peak, 10_000);
});

Deno.test("AudioTransform leaves alone what has the wanted format", async () => {
  const input = sine({ seconds: 0.1 });
  const output = await transform(input, { sampleRate: 16_000, channels: 1 });
  for (const [index, frame] of output.entries()) assert.equal(frame, input[index]);
});

Deno.test("AudioTransform mixes channels by its rules", async () => {
  const half = 1 / (1 + 2 * Math.SQRT1_2);
  const cases: [number[][], number, number[][]][] = [
    [[[1, 2], [3, 4]], 1, [[2, 3]]],
    [[[1], [2], [6]], 1, [[3]]],
    [[[1, 2]], 3, [[1, 2], [1, 2], [1, 2]]],
    [[[1], [2]], 4, [[1], [2], [0], [0]]],
    [[[1], [2], [3], [4]], 2, [[2], [3]]],
    [[[1], [2], [3], [4], [5], [6]], 2, [
      [(1 + Math.SQRT1_2 * 8) * half],
      [(2 + Math.SQRT1_2 * 9) * half],
    ]],
    [[[1], [2], [3], [4]], 6, [[1], [2], [0], [0], [3], [4]]],
    [[[1], [2], [3], [4]], 3, [[1], [2], [3]]],
    [[[1], [2], [3]], 5, [[1], [2], [3], [0], [0]]],
  ];
  for (const [input, channels, expected] of cases) {
    const [frame] = await transform([planar(input)], { channels });
    const rounded = expected.map((channel) => [...Float32Array.from(channel)]);
    for (const [index, channel] of channelsOf(frame!).entries()) {
      for (const [at, value] of channel.entries()) {
        assert.ok(Math.abs(value - rounded[index]![at]!) < 1e-6, `${input.length} to ${channels}`);
      }
    }
    assert.equal(frame!.numberOfChannels, channels);
  }
});

Deno.test("AudioTransform with rate and channels is one after the other", async () => {
  const stereo = noise({ sampleRate: 48_000, numberOfChannels: 2 });
  const both = joinSamples(await transform(stereo, { sampleRate: 16_000, channels: 1 }));
  const mono = await transform(stereo, { channels: 1 });
  assert.deepEqual(both, joinSamples(await transform(mono, { sampleRate: 16_000 })));
  const [frame] = await transform([planar([[...noise({})[0]!.data]])], {
    sampleRate: 48_000,
    channels: 3,
  });
  assert.deepEqual(frame!.channel(2), frame!.channel(0));
});

Deno.test("AudioTransform flushes and starts anew where the format changes", async () => {
  const first = noise({ sampleRate: 48_000, seconds: 0.5 });
  const second = noise({ sampleRate: 8000, seconds: 0.5, numberOfChannels: 2, timestamp: 5e5 });
  const third = noise({ sampleRate: 16_000, seconds: 0.5, timestamp: 1e6 });
  const options = { sampleRate: 16_000, channels: 1 };
  const output = await transform([...first, ...second, ...third], options);
  const apart = [first, second, third].map((frames) => transform(frames, options));
  assert.deepEqual(output, (await Promise.all(apart)).flat());
});

Deno.test("AudioTransform flushes and starts anew at a jump in time, not at a small one", async () => {
  const options = { sampleRate: 16_000 };
  const first = noise({ sampleRate: 48_000, seconds: 0.5 });
  const after = (gap: number) => noise({ sampleRate: 48_000, seed: 2, timestamp: 5e5 + gap });
  for (const gap of [3e6, -2e5]) {
    const output = await transform([...first, ...after(gap)], options);
    const apart = [await transform(first, options), await transform(after(gap), options)];
    assert.deepEqual(output, apart.flat());
  }
  const near = await transform([...first, ...after(30_000)], options);
  const without = await transform([...first, ...after(0)], options);
  assert.deepEqual(joinSamples(near), joinSamples(without));
  assert.equal(near[25]!.timestamp, 530_000);
});

Deno.test("AudioTransform lets empty frames through in their place", async () => {
  const frames = noise({ sampleRate: 48_000, seconds: 0.1 });
  const empty = frames[2]!.with({ data: new Float32Array(), metadata: { empty: true } });
  const output = await transform(frames.toSpliced(2, 0, empty), { sampleRate: 16_000 });
  assert.equal(output.length, frames.length + 1);
  assert.deepEqual(output[2]!.metadata, { empty: true });
});

Deno.test("AudioTransform goes on from a snapshot taken anywhere", async () => {
  const input = [
    ...noise({ sampleRate: 44_100, numberOfChannels: 2, frameSize: 100, seconds: 0.2 }),
    ...noise({ sampleRate: 48_000, frameSize: 1000, seconds: 0.2, timestamp: 2e5 }),
  ];
  const run = async (node: AudioTransform, frames: AudioFrame[]) => {
    const outputs: AudioFrame[] = [];
    for (const frame of frames) outputs.push(...await given(node.process(frame)));
    return outputs;
  };
  const make = async () => {
    const node = new AudioTransform({ sampleRate: 16_000, channels: 1 });
    await node.open();
    return node;
  };
  const whole = await make();
  const expected = [...await run(whole, input), ...await given(whole.flush())];
  for (let at = 0; at <= input.length; at++) {
    const [first, second] = [await make(), await make()];
    const head = await run(first, input.slice(0, at));
    const state = structuredClone(first.snapshot());
    await run(first, input.slice(0, 1));
    second.restore(state);
    const tail = [...await run(second, input.slice(at)), ...await given(second.flush())];
    assert.deepEqual([...head, ...tail], expected, `cut at ${at}`);
    first.close();
    second.close();
  }
});

Deno.test("AudioTransform refuses what it cannot be", async () => {
  const cases: [AudioTransformOptions, RegExp][] = [
    [{ sampleRate: 0 }, /option "sampleRate" .* 0$/],
    [{ sampleRate: 16_000.5 }, /option "sampleRate" .* 16000\.5/],
    [{ channels: 33 }, /option "channels" .* 33/],
    [{ rate: 8000 } as AudioTransformOptions, /no option "rate"/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new AudioTransform(options), { message });
  }
  const frames = [planar([[0]], 768_000)];
  await assert.rejects(transform(frames, { sampleRate: 100 }), /within a factor of 256/);
});

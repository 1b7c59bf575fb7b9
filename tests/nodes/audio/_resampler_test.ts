import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ResamplerFormat, StreamingResampler } from "../../../nodes/audio/_resampler.ts";
import { loadSpeex } from "../../../nodes/audio/_speex.ts";

const speex = await loadSpeex();

/** A sine that sweeps from `from` to `to` Hz, faded at both ends. */
function sweep(frames: number, rate: number, [from, to]: [number, number]): Float32Array {
  let phase = 0;
  return Float32Array.from({ length: frames }, (_, index) => {
    phase += 2 * Math.PI * (from + (to - from) * index / frames) / rate;
    return 0.5 * Math.min(1, index / 4000, (frames - index) / 4000) * Math.sin(phase);
  });
}

function noise(frames: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: frames }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 31 - 1;
  });
}

/** Mono samples, resampled in chunks of the given size. */
function resample(
  samples: Float32Array,
  format: ResamplerFormat,
  chunk = samples.length,
): Float32Array {
  using resampler = new StreamingResampler(speex, format);
  const parts: Float32Array[] = [];
  for (let start = 0; start < samples.length; start += chunk) {
    parts.push(resampler.process(samples.subarray(start, start + chunk)));
  }
  return join([...parts, resampler.flush()]);
}

function join(parts: Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((all, part) => all + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** 10 log10 of signal power to the power of the difference. */
function signalToNoise(signal: Float32Array, other: Float32Array): number {
  let [power, error] = [0, 0];
  for (const [index, value] of signal.entries()) {
    power += value ** 2;
    error += (value - other[index]!) ** 2;
  }
  return 10 * Math.log10(power / error);
}

Deno.test("StreamingResampler keeps a sweep 48 to 16 to 48 kHz above 80 dB and in time", () => {
  const signal = sweep(4 * 48_000, 48_000, [20, 7500]);
  const down = resample(signal, { inputRate: 48_000, outputRate: 16_000 }, 480);
  const up = resample(down, { inputRate: 16_000, outputRate: 48_000 }, 160);
  assert.equal(down.length, 4 * 16_000);
  assert.equal(up.length, signal.length);
  const ratio = signalToNoise(signal, up);
  assert.ok(ratio > 90, `${ratio} dB`);
});

Deno.test("StreamingResampler at quality 6 keeps its pass band above 80 dB", () => {
  const signal = sweep(2 * 48_000, 48_000, [20, 7000]);
  const down = resample(signal, { inputRate: 48_000, outputRate: 16_000, quality: 6 });
  const up = resample(down, { inputRate: 16_000, outputRate: 48_000, quality: 6 });
  assert.ok(signalToNoise(signal, up) > 80);
});

Deno.test("StreamingResampler lets nothing above Nyquist fold back", () => {
  for (const frequency of [8500, 12_000, 15_900, 23_500]) {
    const omega = 2 * Math.PI * frequency / 48_000;
    const tone = Float32Array.from({ length: 24_000 }, (_, index) => Math.sin(omega * index));
    const middle = resample(tone, { inputRate: 48_000, outputRate: 16_000 }).subarray(500, 7500);
    const loudest = 20 * Math.log10(Math.max(...middle.map(Math.abs)));
    assert.ok(loudest < -100, `${frequency} Hz comes through at ${loudest} dB`);
  }
});

for (
  const [inputRate, outputRate] of [[48_000, 16_000], [44_100, 16_000], [8000, 44_100]] as const
) {
  Deno.test(`StreamingResampler ${inputRate} to ${outputRate} Hz does not depend on chunk sizes`, () => {
    const signal = noise(48_000);
    const whole = resample(signal, { inputRate, outputRate });
    assert.equal(whole.length, Math.round(48_000 * outputRate / inputRate));
    for (const chunk of [1, 2, 63, 160, 441, 4097, 47_999]) {
      assert.deepEqual(resample(signal, { inputRate, outputRate }, chunk), whole, `chunk ${chunk}`);
    }
  });
}

Deno.test("StreamingResampler gives the exact length for any ratio and length", () => {
  const formats = [[44_100, 48_000], [47_999, 16_001], [96_000, 11_025], [8000, 8000], [256, 1]];
  for (const [inputRate, outputRate] of [...formats, [3000, 768_000]] as [number, number][]) {
    for (const frames of [0, 1, 2, 100, 999, 4096]) {
      const length = resample(noise(frames), { inputRate, outputRate }, 333).length;
      assert.equal(length, Math.round(frames * outputRate / inputRate), `${inputRate} ${frames}`);
    }
  }
});

Deno.test("StreamingResampler keeps channels apart, in planar order", () => {
  const [left, right] = [noise(5000), sweep(5000, 44_100, [20, 5000])];
  const format = { inputRate: 44_100, outputRate: 16_000 };
  using stereo = new StreamingResampler(speex, { ...format, numberOfChannels: 2 });
  const planar = (from: number, to: number) =>
    join([left.subarray(from, to), right.subarray(from, to)]);
  const parts = [
    stereo.process(planar(0, 1234)),
    stereo.process(planar(1234, 5000)),
    stereo.flush(),
  ];
  const half = (index: number) =>
    join(parts.map((p) => p.subarray(index * p.length / 2, (index + 1) * p.length / 2)));
  assert.deepEqual(half(0), resample(left, format));
  assert.deepEqual(half(1), resample(right, format));
});

Deno.test("StreamingResampler takes 32 channels", () => {
  using resampler = new StreamingResampler(speex, {
    inputRate: 48_000,
    outputRate: 16_000,
    numberOfChannels: 32,
  });
  const first = resampler.process(new Float32Array(32 * 4800).fill(0.5));
  assert.equal(first.length + resampler.flush().length, 32 * 1600);
});

Deno.test("StreamingResampler goes on from a snapshot bit for bit, wherever it was taken", () => {
  const signal = noise(30_000);
  const formats = [[48_000, 16_000], [44_100, 16_000], [16_000, 44_100], [47_999, 16_000]] as const;
  for (const [inputRate, outputRate] of formats) {
    const whole = resample(signal, { inputRate, outputRate });
    for (const cut of [0, 1, 7, 128, 767, 768, 769, 10_000, 29_999, 30_000]) {
      using first = new StreamingResampler(speex, { inputRate, outputRate });
      using second = new StreamingResampler(speex, { inputRate, outputRate });
      const head = first.process(signal.subarray(0, cut));
      second.process(noise(100));
      second.restore(structuredClone(first.snapshot()));
      const tail = [second.process(signal.subarray(cut)), second.flush()];
      assert.deepEqual(join([head, ...tail]), whole, `${inputRate} ${outputRate} at ${cut}`);
    }
  }
});

Deno.test("StreamingResampler starts anew after flush and reset", () => {
  using resampler = new StreamingResampler(speex, { inputRate: 48_000, outputRate: 16_000 });
  const run = () => join([resampler.process(noise(3000)), resampler.flush()]);
  const first = run();
  assert.deepEqual(run(), first);
  resampler.process(noise(777));
  resampler.reset();
  assert.deepEqual(run(), first);
});

Deno.test("StreamingResampler gives its memory back: 5000 instances leave the heap as it was", () => {
  const make = () => new StreamingResampler(speex, { inputRate: 48_000, outputRate: 16_000 });
  make()[Symbol.dispose]();
  const before = speex.heapBytes;
  for (let count = 0; count < 5000; count++) {
    using resampler = make();
    resampler.process(new Float32Array(480));
    resampler.flush();
  }
  assert.equal(speex.heapBytes, before);
});

Deno.test("StreamingResampler that is forgotten undisposed is freed by garbage collection", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const round = async () => {
    for (let count = 0; count < 250; count++) {
      new StreamingResampler(speex, { inputRate: 192_000, outputRate: 16_000 });
    }
    collect();
    await delay(0);
  };
  await round();
  await round();
  const before = speex.heapBytes;
  for (let count = 0; count < 8; count++) await round();
  assert.equal(speex.heapBytes, before);
});

Deno.test("StreamingResampler names what it cannot convert", async () => {
  const cases = [
    [{ inputRate: 0, outputRate: 1 }, /inputRate must be a whole number of Hz .* value is 0/],
    [{ inputRate: 1, outputRate: 0.5 }, /outputRate must be a whole number .* value is 0.5/],
    [{ inputRate: 48_000, outputRate: 100 }, /within a factor of 256: .*48000 to 100 Hz/],
    [{ inputRate: 1, outputRate: 1, numberOfChannels: 33 }, /numberOfChannels must be .* 33/],
    [{ inputRate: 1, outputRate: 1, quality: 11 }, /quality must be .* 11/],
  ] as const;
  for (const [format, message] of cases) {
    assert.throws(() => new StreamingResampler(speex, format), { name: "RangeError", message });
  }
  const resampler = await StreamingResampler.create({
    inputRate: 2,
    outputRate: 1,
    numberOfChannels: 2,
  });
  assert.throws(() => resampler.process(new Float32Array(3)), RangeError);
  resampler[Symbol.dispose]();
  assert.throws(() => resampler.process(new Float32Array(4)), /is disposed/);
});

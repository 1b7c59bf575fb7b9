import assert from "node:assert/strict";
import { type AudioFrame, NodeError, Pipeline } from "../../../core/mod.ts";
import { StreamingResampler } from "../../../nodes/audio/_resampler.ts";
import {
  AudioTransform,
  type SpeechSegment,
  type VadInput,
  VoiceActivityDetector,
} from "../../../nodes/mod.ts";
import { given } from "../_given.ts";
import { cut, joinSamples, noise, silence, sine, speech } from "../../../testing/frames.ts";

const reference: readonly (readonly [number, number])[] = JSON.parse(
  await Deno.readTextFile(new URL("../../testdata/conversation.json", import.meta.url)),
).sileroSegmentsSeconds.v6;

const samples = joinSamples(await speech());

/** The speech at another rate and number of channels, cut into frames. */
async function speechAt(
  sampleRate: number,
  { channels = 1, frameMs }: { channels?: number; frameMs: number },
): Promise<AudioFrame[]> {
  const resampler = await StreamingResampler.create({ inputRate: 16_000, outputRate: sampleRate });
  const parts = [resampler.process(samples), resampler.flush()];
  resampler[Symbol.dispose]();
  const length = parts[0]!.length + parts[1]!.length;
  const planar = new Float32Array(channels * length);
  for (let channel = 0; channel < channels; channel++) {
    planar.set(parts[0]!, channel * length);
    planar.set(parts[1]!, channel * length + parts[0]!.length);
  }
  const frameSize = Math.min(length, Math.round(frameMs * sampleRate / 1000));
  return cut(planar, { sampleRate, numberOfChannels: channels, frameSize });
}

async function segmentsOf(
  frames: AudioFrame[],
  options: VadInput<"segments"> = {},
): Promise<SpeechSegment[]> {
  return await Array.fromAsync(
    ReadableStream.from(frames).pipeThrough(new VoiceActivityDetector(options)),
  );
}

function seconds(segments: readonly SpeechSegment[]): [number, number][] {
  return segments.map(({ start, end }) => [start / 1e6, end / 1e6]);
}

function assertNear(
  actual: readonly (readonly [number, number])[],
  expected: readonly (readonly [number, number])[],
  tolerance: number,
): void {
  const message = `${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`;
  assert.equal(actual.length, expected.length, message);
  for (const [index, times] of actual.entries()) {
    for (const side of [0, 1] as const) {
      assert.ok(Math.abs(times[side] - expected[index]![side]) <= tolerance, message);
    }
  }
}

Deno.test("VoiceActivityDetector gives Silero's own segments of speech at 16 kHz, to the µs", async () => {
  assert.deepEqual(seconds(await segmentsOf(await speech())), reference);
});

for (const sampleRate of [8000, 16_000, 44_100, 48_000]) {
  for (const channels of [1, 2]) {
    Deno.test(`VoiceActivityDetector finds the reference at ${sampleRate} Hz, ${channels} channels, any frames`, async () => {
      let first: SpeechSegment[] | undefined;
      for (const frameMs of [10, 20, 37, 1000, 60_000]) {
        const segments = await segmentsOf(await speechAt(sampleRate, { channels, frameMs }));
        assertNear(seconds(segments), reference, 0.1);
        first ??= segments;
        for (const [index, segment] of segments.entries()) {
          const same: SpeechSegment = first[index]!;
          assert.equal(segment.probability, same.probability, `frames of ${frameMs} ms`);
          // frames' times are whole µs, so what is measured from them may differ by one
          assert.ok(Math.abs(segment.start - same.start) <= 1);
          assert.ok(Math.abs(segment.end - same.end) <= 1);
        }
      }
    });
  }
}

Deno.test("VoiceActivityDetector hears no speech in a tone, noise and a tone, or silence", async () => {
  for (const sampleRate of [16_000, 44_100]) {
    const five = { seconds: 5, sampleRate };
    assert.deepEqual(await segmentsOf(sine(five)), []);
    const after = sine({ ...five, timestamp: 2e6 });
    assert.deepEqual(await segmentsOf([...noise({ seconds: 2, sampleRate }), ...after]), []);
    assert.deepEqual(await segmentsOf(silence(five)), []);
  }
});

Deno.test("VoiceActivityDetector by energy calls a tone of 5 s speech for all of it", async () => {
  const options = { engine: "energy" } as const;
  for (const sampleRate of [16_000, 48_000]) {
    const tone = await segmentsOf(sine({ seconds: 5, sampleRate }), options);
    assert.deepEqual(seconds(tone), [[0, 5]]);
    const framed = [
      ...silence({ seconds: 1, sampleRate }),
      ...sine({ seconds: 5, sampleRate, timestamp: 1e6 }),
      ...silence({ seconds: 1, sampleRate, timestamp: 6e6 }),
    ];
    assertNear(seconds(await segmentsOf(framed, options)), [[1, 6]], 0.07);
  }
  assert.deepEqual(await segmentsOf(silence({ seconds: 2 }), options), []);
});

Deno.test("VoiceActivityDetector by energy finds speech", async () => {
  const segments = await segmentsOf(await speech(), { engine: "energy", minSilenceMs: 300 });
  assertNear(seconds(segments), reference, 0.1);
});

Deno.test("VoiceActivityDetector gives the last segment at the end of the stream", async () => {
  const frames = cut(samples.slice(0, 3 * 16_000), {});
  assert.deepEqual(seconds(await segmentsOf(frames)), [[1.25, 3]]);
});

Deno.test("VoiceActivityDetector keeps time through gaps, and ends speech there", async () => {
  const first = cut(samples.slice(0, 3 * 16_000), {});
  const second = await speech({ timestamp: 100e6 });
  const segments = await segmentsOf([...first, ...second]);
  const expected = reference.map(([start, end]) => [100 + start, 100 + end] as const);
  assertNear(seconds(segments), [[1.25, 3], ...expected], 1e-6);
  assert.deepEqual(segments.map(({ segment }) => segment), [0, 1, 2, 3]);
});

Deno.test("VoiceActivityDetector follows timestamps that drift, and does not stumble over it", async () => {
  // 0.1 % fast: each frame starts 20 µs later than the one before ended
  const drifting = (await speech()).map((frame) =>
    frame.with({ timestamp: frame.timestamp * 1.001 })
  );
  const expected = reference.map(([start, end]) => [start * 1.001, end * 1.001] as const);
  assertNear(seconds(await segmentsOf(drifting)), expected, 0.0015);
});

Deno.test("VoiceActivityDetector starts anew where the format changes", async () => {
  const end = samples.length * 1e6 / 16_000;
  const other = (await speechAt(48_000, { channels: 2, frameMs: 20 })).map((frame) =>
    frame.with({ timestamp: frame.timestamp + end })
  );
  const shift = reference.map(([from, to]) => [from + end / 1e6, to + end / 1e6] as const);
  const segments = await segmentsOf([...await speech(), ...other]);
  assertNear(seconds(segments), [...reference, ...shift], 0.1);
});

Deno.test("VoiceActivityDetector gives the samples that are speech as they came in", async () => {
  for (const frameMs of [10, 37, 60_000]) {
    const input = (await speechAt(48_000, { channels: 2, frameMs })).map((frame, index) =>
      frame.with({ metadata: { index } })
    );
    const segments = await segmentsOf(input);
    const whole = joinSamples(input);
    const length = whole.length / 2;
    const output = await Array.fromAsync(
      ReadableStream.from(input).pipeThrough(new VoiceActivityDetector({ emit: "speech" })),
    );
    for (const { segment, start, end } of segments) {
      const frames = output.filter(({ metadata }) => metadata.segment === segment);
      const [from, to] = [start, end].map((time) => Math.round(time * 48_000 / 1e6));
      const expected = new Float32Array(2 * (to! - from!));
      expected.set(whole.subarray(from, to));
      expected.set(whole.subarray(length + from!, length + to!), to! - from!);
      assert.deepEqual(joinSamples(frames), expected);
      let next = start;
      for (const frame of frames) {
        assert.ok(Math.abs(frame.timestamp - next) <= 2, "the frames leave a gap");
        assert.ok(typeof frame.metadata.index === "number");
        next = frame.timestamp + frame.numberOfFrames * 1e6 / 48_000;
      }
      assert.ok(Math.abs(next - end) <= 2);
    }
    assert.ok(output.every(({ metadata }) => (metadata.segment as number) < segments.length));
  }
});

Deno.test("VoiceActivityDetector notes at each frame whether it is speech", async () => {
  for (const frameMs of [10, 37, 1000]) {
    const input = (await speechAt(44_100, { channels: 2, frameMs })).map((frame, index) =>
      frame.with({ metadata: { index } })
    );
    input.splice(5, 0, input[5]!.with({ data: new Float32Array() })); // an empty frame is a frame
    const segments = await segmentsOf(input);
    const output = await Array.fromAsync(
      ReadableStream.from(input).pipeThrough(new VoiceActivityDetector({ emit: "annotate" })),
    );
    assert.equal(output.length, input.length);
    for (const [index, frame] of output.entries()) {
      const { metadata, timestamp, data } = frame;
      assert.equal(data, input[index]!.data);
      assert.equal(timestamp, input[index]!.timestamp);
      assert.equal(metadata.index, input[index]!.metadata.index);
      const end = timestamp + frame.duration;
      const heard = segments.some((segment) =>
        segment.start + 2 < end && timestamp + 2 < segment.end
      );
      const near = segments.some((s) =>
        [s.start, s.end].some((t) => Math.abs(t - timestamp) < 3 || Math.abs(t - end) < 3)
      );
      if (!near) assert.equal(metadata.speech, heard, `at ${timestamp} µs`);
      assert.ok((metadata.probability as number) >= 0 && (metadata.probability as number) <= 1);
    }
  }
});

Deno.test("VoiceActivityDetector loses no sample at the end, whatever the rate and length", async () => {
  for (const sampleRate of [8000, 11_025, 44_100, 48_000, 96_000]) {
    for (const length of [1, 2, 3, 4, 100, 1023, 1411, 1412, 1413, 5000, 5001]) {
      const { data } = sine({ sampleRate, seconds: 1, frameSize: sampleRate })[0]!;
      const input = cut(data.slice(0, length), { sampleRate, frameSize: 7 });
      const run = (emit: "annotate" | "speech") =>
        Array.fromAsync(
          ReadableStream.from(input).pipeThrough(
            new VoiceActivityDetector({ emit, engine: "energy", minSpeechMs: 0 }),
          ),
        );
      assert.equal((await run("annotate")).length, input.length, `${length} at ${sampleRate} Hz`);
      const heard = joinSamples(await run("speech")).length;
      assert.ok(heard === length || length < 100 && heard === 0, `${heard} of ${length}`);
    }
  }
});

Deno.test("VoiceActivityDetector holds a frame no longer than it says", async () => {
  const pipeline = new Pipeline([new VoiceActivityDetector({ emit: "annotate" })]);
  let fed = 0;
  async function* source() {
    for (const frame of await speech()) {
      yield frame;
      fed = frame.timestamp + frame.duration;
    }
  }
  let latest = 0;
  for await (const frame of pipeline.run(source())) {
    if (fed < 20.8e6) latest = Math.max(latest, fed - frame.timestamp);
  }
  assert.ok(latest <= 538_000 + 2 * 20_000, `${latest} µs`); // one frame is on its way at each end
});

Deno.test("VoiceActivityDetector cuts speech that is too long", async () => {
  const segments = await segmentsOf(await speech(), { maxSpeechMs: 2000 });
  const long = segments.filter(({ start, end }) => end - start > 2e6);
  assert.deepEqual(long, []);
  const heard = segments.reduce((sum, { start, end }) => sum + end - start, 0);
  assert.ok(heard > 13e6, `${heard} µs are left of 14.3 s`);
});

Deno.test("VoiceActivityDetector at 2 s of padding shares the silence between neighbours", async () => {
  const segments = seconds(await segmentsOf(await speech(), { speechPadMs: 2000 }));
  assertNear(segments, [[0, 4.8], [4.8, 13.376], [13.376, 20.89]], 1e-6);
});

Deno.test("VoiceActivityDetector goes on from a snapshot taken anywhere", async () => {
  for (const emit of ["segments", "speech", "annotate"] as const) {
    const frames = await speechAt(44_100, { frameMs: 37 });
    const input = frames.slice(0, 190); // 7 s
    const run = async (node: VoiceActivityDetector<"annotate">, part: AudioFrame[]) => {
      const outputs: unknown[] = [];
      for (const frame of part) outputs.push(...await given(node.process(frame)));
      return outputs;
    };
    const make = async () => {
      const node = new VoiceActivityDetector({ emit }) as VoiceActivityDetector<"annotate">;
      await node.open();
      return node;
    };
    const whole = await make();
    const expected = [...await run(whole, input), ...await given(whole.flush())];
    assert.ok(expected.length > 0);
    for (const cutAt of [0, 1, 2, 35, 40, 104, 106, 107, 150, 189, 190]) {
      const [first, second] = [await make(), await make()];
      const head = await run(first, input.slice(0, cutAt));
      const state = structuredClone(first.snapshot());
      await run(first, input.slice(0, 3)); // what the first does now must not matter
      second.restore(state);
      const tail = [...await run(second, input.slice(cutAt)), ...await given(second.flush())];
      assert.deepEqual([...head, ...tail], expected, `${emit} cut at ${cutAt}`);
      first.close();
      second.close();
    }
    whole.close();
  }
});

Deno.test("VoiceActivityDetector forgets the past at an interrupt", async () => {
  const pipeline = new Pipeline([new VoiceActivityDetector()]);
  const output = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  for (const frame of cut(samples.slice(0, 3 * 16_000), {})) await writer.write(frame);
  await pipeline.interrupt();
  for (const frame of await speech({ timestamp: 3e6 })) await writer.write(frame);
  await writer.close();
  const expected = reference.map(([start, end]) => [3 + start, 3 + end] as const);
  assertNear(seconds(await output), expected, 1e-6);
});

Deno.test("VoiceActivityDetector shares one session among many that run at once", async () => {
  const results = await Promise.all(
    [10, 20, 37].map(async (frameMs) => await segmentsOf(await speechAt(16_000, { frameMs }))),
  );
  for (const result of results) assertNear(seconds(result), reference, 1e-6);
});

Deno.test("VoiceActivityDetector refuses samples that are no numbers, and says where", async () => {
  const frames = await speech();
  const data = frames[10]!.data.slice();
  data[40] = NaN;
  frames[10] = frames[10]!.with({ data });
  await assert.rejects(segmentsOf(frames), (error) => {
    assert.ok(error instanceof NodeError);
    assert.match(
      error.message,
      /chunk 10: Cannot detect speech as samples must be finite: current value is NaN at 0.203 s/,
    );
    return true;
  });
});

Deno.test("VoiceActivityDetector refuses wrong options by name", () => {
  const cases: [VadInput, RegExp][] = [
    [{ threshold: 1.5 }, /option "threshold" .* 1\.5/],
    [{ negativeThreshold: 0.6 }, /option "negativeThreshold" .*above threshold.* 0\.6/],
    [{ minSpeechMs: -1 }, /option "minSpeechMs" .* -1/],
    [{ maxSpeechMs: 10 }, /option "maxSpeechMs" .* 10/],
    [{ engine: "webrtc" as "silero" }, /option "engine" .* "webrtc"/],
    [{ emit: "all" as "speech" }, /option "emit" .* "all"/],
    [{ treshold: 0.5 } as VadInput, /no option "treshold"/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new VoiceActivityDetector(options), { message });
  }
});

Deno.test("VoiceActivityDetector types what it gives by its option emit", () => {
  new Pipeline([
    new VoiceActivityDetector({ emit: "speech" }),
    new AudioTransform({ channels: 1 }),
  ]);
  new Pipeline([new VoiceActivityDetector({ emit: "annotate" }), new VoiceActivityDetector()]);
  const scaler = new AudioTransform({ channels: 1 });
  // @ts-expect-error: segments are no frames
  new Pipeline([new VoiceActivityDetector({ threshold: 0.6 }), scaler]);
  const output: ReadableStream<SpeechSegment> =
    new Pipeline([new VoiceActivityDetector()]).readable;
  assert.ok(output instanceof ReadableStream);
});

Deno.test("VoiceActivityDetector hears the same to the bit in batches with other streams", async () => {
  const starts = Array.from({ length: 12 }, (_, index) => 10_000 + index * 5_003);
  const hear = (options: VadInput<"annotate">) =>
    Promise.all(starts.map((start) => {
      const frames = cut(samples.slice(start, start + 4 * 16_000), { frameSize: 480 });
      const detector = new VoiceActivityDetector({ emit: "annotate", ...options });
      return Array.fromAsync(ReadableStream.from(frames).pipeThrough(detector));
    }));
  const alone = await hear({ maxBatch: 1 });
  assert.ok(alone.flat().some(({ metadata }) => metadata.speech === true));
  assert.deepEqual(await hear({}), alone);
  assert.deepEqual(await hear({ maxBatch: 5, maxWaitMs: 2 }), alone);
});

Deno.test("VoiceActivityDetector forgets the frame that ended a run when an interrupt came meanwhile", async () => {
  const node = new VoiceActivityDetector({ engine: "energy" });
  await node.open();
  const heard = (frame: AudioFrame) =>
    Array.fromAsync(node.process(frame) as AsyncGenerator<SpeechSegment>);
  const tone = (timestamp: number) => sine({ frameSize: 16_000, timestamp })[0]!;
  await heard(tone(0));
  const ending = heard(tone(5e6));
  node.onInterrupt();
  assert.deepEqual(await ending, []);
  assert.deepEqual(await heard(silence({ frameSize: 16_000, timestamp: 6e6 })[0]!), []);
  assert.deepEqual(await Array.fromAsync(node.flush() as AsyncGenerator<SpeechSegment>), []);
  await node.close();
});

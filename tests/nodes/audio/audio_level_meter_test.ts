import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { AudioLevelMeter, type LevelReading } from "../../../nodes/audio/audio_level_meter.ts";
import { cut, joinSamples, noise, silence, sine, speech } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";
import { ffmpeg } from "./_ffmpeg.ts";

/** What ffmpeg's ebur128 says of every 100 ms: `M`, `S`, `I`, three digits. */
async function ebur128(frames: readonly AudioFrame[], key: "M" | "S" | "I"): Promise<number[]> {
  const { log } = await ffmpeg(frames, `ebur128=metadata=1,ametadata=print:key=lavfi.r128.${key}`);
  return [...log.matchAll(new RegExp(`lavfi\\.r128\\.${key}=(\\S+)`, "g"))].map(([, value]) =>
    Number(value)
  );
}

/** A number of the summary at the end; ffmpeg writes another one when it tries out its formats. */
function summary(log: string, pattern: RegExp): number {
  return Number([...log.matchAll(pattern)].at(-1)![1]);
}

/** Stereo at 48 kHz: speech, then music-like tones of changing level, then near silence. */
async function programme(): Promise<AudioFrame[]> {
  const voice = joinSamples(await speech()).subarray(0, 6 * 16_000);
  const length = 12 * 48_000;
  const samples = Float32Array.from({ length: 2 * length }, (_, at) => {
    const index = at % length;
    const time = index / 48_000;
    if (time < 6) return (at < length ? 1 : 0.5) * voice[Math.floor(index / 3)]!;
    const level = time < 10 ? 0.05 + 0.4 * Math.abs(Math.sin(time)) : 0.0005;
    return level * Math.sin(2 * Math.PI * (at < length ? 97 : 3001) * time);
  });
  return cut(samples, { sampleRate: 48_000, numberOfChannels: 2, frameSize: 1234 });
}

for (const [key, name] of [["M", "momentary"], ["S", "shortTerm"], ["I", "integrated"]] as const) {
  Deno.test(`AudioLevelMeter ${name} is ffmpeg's ebur128 within 0.1 LU at every 100 ms`, async () => {
    const frames = await programme();
    const readings = await through<LevelReading>(new AudioLevelMeter({ truePeak: false }), frames);
    const expected = await ebur128(frames, key);
    equal(readings.length, 120);
    ok(Math.abs(expected.length - readings.length) <= 1, `${expected.length}`);
    let compared = 0;
    for (const [index, value] of expected.slice(0, 120).entries()) {
      if (value <= -70) continue; // ffmpeg's word for silence
      const ours = readings[index]![name];
      ok(Math.abs(ours - value) < 0.1, `${ours} LUFS, ffmpeg ${value}, at ${index / 10} s`);
      compared++;
    }
    ok(compared > 90);
  });
}

for (const [channels, layout] of [[1, "mono"], [6, "5.1"]] as const) {
  Deno.test(`AudioLevelMeter integrated loudness of ${layout} at 44.1 kHz is ffmpeg's within 0.1 LU`, async () => {
    const frames = noise({
      seconds: 3,
      sampleRate: 44_100,
      numberOfChannels: channels,
      frameSize: 441,
    });
    const { log } = await ffmpeg(frames, `aformat=channel_layouts=${layout},ebur128`);
    const expected = summary(log, /Integrated loudness:\s+I:\s+(\S+) LUFS/g);
    const readings = await through<LevelReading>(new AudioLevelMeter(), frames);
    ok(Math.abs(readings.at(-1)!.integrated - expected) < 0.1, `${readings.at(-1)!.integrated}`);
  });
}

Deno.test("AudioLevelMeter measures 1 kHz at -23 dBFS in stereo as -23 LUFS within 0.1 (EBU Tech 3341, case 1)", async () => {
  const frames = sine({
    frequency: 1000,
    amplitude: 10 ** (-23 / 20),
    seconds: 20,
    sampleRate: 48_000,
    numberOfChannels: 2,
    frameSize: 4800,
  });
  const node = new AudioLevelMeter({ truePeak: false });
  const { momentary, shortTerm, integrated } = (await through<LevelReading>(node, frames)).at(-1)!;
  for (const value of [momentary, shortTerm, integrated]) {
    ok(Math.abs(value + 23) < 0.1, `${value}`);
  }
});

Deno.test("AudioLevelMeter gates: -36, -23, -36 dBFS is -23 LUFS within 0.1 (EBU Tech 3341, case 3)", async () => {
  const part = (db: number, start: number, seconds: number) =>
    sine({
      frequency: 1000,
      amplitude: 10 ** (db / 20),
      seconds,
      sampleRate: 16_000,
      numberOfChannels: 2,
      timestamp: start * 1e6,
      frameSize: 1600,
    });
  const frames = [...part(-36, 0, 10), ...part(-23, 10, 60), ...part(-36, 70, 10)];
  const readings = await through<LevelReading>(new AudioLevelMeter({ truePeak: false }), frames);
  ok(Math.abs(readings.at(-1)!.integrated + 23) < 0.1, `${readings.at(-1)!.integrated}`);
});

Deno.test("AudioLevelMeter true peak is ffmpeg's within 0.2 dB, where samples miss it by 3 dB", async () => {
  const samples = Float32Array.from(
    { length: 48_000 },
    (_, index) => 0.5 * Math.sin(2 * Math.PI * index / 4 + Math.PI / 4),
  );
  const frames = cut(samples, { sampleRate: 48_000 });
  const { log } = await ffmpeg(frames, "afade=d=0.1,ebur128=peak=true");
  const expected = summary(log, /True peak:\s+Peak:\s+(\S+) dBFS/g);
  const readings = await through<LevelReading>(new AudioLevelMeter(), frames);
  const { peak: [peak], truePeak: [truePeak] } = readings[5]!;
  ok(Math.abs(truePeak! - expected) < 0.2, `${truePeak} dBTP, ffmpeg ${expected}`);
  ok(Math.abs(peak! + 9.03) < 0.01, `${peak}`);
});

Deno.test("AudioLevelMeter finds a peak of -6.02 dBTP within 0.2 dB wherever between samples it is", async () => {
  for (const fraction of [0, 0.125, 0.375, 0.5, 0.625, 0.875]) {
    const samples = Float32Array.from({ length: 4800 }, (_, index) => {
      const x = (index - 2400 - fraction) * 0.8; // band-limited to 0.4 of the rate
      const window = Math.abs(x) > 400 ? 0 : (1 + Math.cos(Math.PI * x / 400)) / 2;
      return 0.5 * window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    });
    const [reading] = await through<LevelReading>(
      new AudioLevelMeter(),
      cut(samples, { sampleRate: 48_000 }),
    );
    const [truePeak] = reading!.truePeak;
    ok(Math.abs(truePeak! + 6.02) < 0.2, `${truePeak} dBTP at ${fraction}`);
  }
});

Deno.test("AudioLevelMeter RMS and peak are ffmpeg's astats within 0.01 dB", async () => {
  const frames = noise({ seconds: 1, sampleRate: 48_000 });
  const node = new AudioLevelMeter({ intervalMs: 1000 });
  const [{ rms, peak, duration }] = await through<LevelReading>(node, frames) as [LevelReading];
  const { log } = await ffmpeg(frames, "astats");
  const stat = (name: string) => Number(log.match(new RegExp(`${name} level dB: (\\S+)`))![1]);
  ok(Math.abs(rms[0]! - stat("RMS")) < 0.01);
  ok(Math.abs(peak[0]! - stat("Peak")) < 0.01);
  equal(duration, 1_000_000);
});

Deno.test("AudioLevelMeter does not depend on how audio is cut", async () => {
  const samples = joinSamples(noise({ seconds: 1.05, sampleRate: 44_100 }));
  const read = (frameSize: number) =>
    through(new AudioLevelMeter(), cut(samples, { sampleRate: 44_100, frameSize }));
  const whole = (await read(samples.length)) as LevelReading[];
  equal(whole.length, 11);
  equal(whole[10]!.duration, 50_000);
  const pieces = (await read(333)) as LevelReading[];
  for (const [index, { momentary, truePeak }] of pieces.entries()) {
    ok(Math.abs(momentary - whole[index]!.momentary) < 1e-9);
    deepEqual(truePeak, whole[index]!.truePeak);
  }
});

Deno.test("AudioLevelMeter annotates frames with the last reading, and measures silence as -Infinity", async () => {
  const node = new AudioLevelMeter({ emit: "annotate" });
  const frames = await through<AudioFrame>(node, silence({ seconds: 0.2 }));
  equal(frames.length, 10);
  equal(frames[3]!.metadata.level, undefined);
  const { rms, integrated } = frames[9]!.metadata.level as LevelReading;
  deepEqual([rms, integrated], [[-Infinity], -Infinity]);
});

Deno.test("AudioLevelMeter begins its windows anew at a change of format and a jump back", async () => {
  const readings = await through<LevelReading>(new AudioLevelMeter(), anyChannels());
  deepEqual(readings.map(({ rms }) => rms.length), Array.from({ length: 32 }, (_, at) => at + 1));
  const loud = sine({ seconds: 1, timestamp: 5e6 });
  const again = await through<LevelReading>(new AudioLevelMeter(), [...loud, ...silence()]);
  equal(again[10]!.momentary, -Infinity);
  equal(again[10]!.timestamp, 0);
  ok(again.at(-1)!.integrated > -15, "the integrated loudness goes on");
});

Deno.test("AudioLevelMeter names NaN, infinite samples and rates that it does not take", async () => {
  for (const [value, text] of [[NaN, "NaN"], [-Infinity, "-Infinity"]] as const) {
    const data = new Float32Array(20).fill(0.1);
    data[13] = value;
    const run = through(new AudioLevelMeter(), [frameOf({ data, numberOfChannels: 2 })]);
    const message = `sample 3 of channel 1 must be a finite number: current value is ${text}`;
    await rejects(run, new RegExp(message));
  }
  const low = [frameOf({ data: new Float32Array(8), sampleRate: 4000 })];
  await rejects(through(new AudioLevelMeter(), low), /at least 8000 Hz: current value is 4000/);
  deepEqual(await through(new AudioLevelMeter(), [frameOf({ data: new Float32Array(0) })]), []);
});

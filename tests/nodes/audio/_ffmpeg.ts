import { equal } from "node:assert/strict";
import type { AudioFrame } from "../../../core/mod.ts";
import { joinSamples } from "../../../testing/mod.ts";

/** Sample by sample from channel after channel. */
export function interleaved(samples: Float32Array, channels: number): Float32Array {
  const frames = samples.length / channels;
  return Float32Array.from(
    samples,
    (_, index) => samples[(index % channels) * frames + Math.floor(index / channels)]!,
  );
}

/** Channel after channel from sample by sample. */
export function planar(samples: Float32Array, channels: number): Float32Array {
  return interleaved(samples, samples.length / channels);
}

/** What ffmpeg gives for a graph of filters: samples, planar, of as many channels, and its log. */
export async function ffmpeg(
  frames: readonly AudioFrame[],
  filter: string,
  channels = frames[0]!.numberOfChannels,
): Promise<{ samples: Float32Array; log: string }> {
  const { numberOfChannels, sampleRate } = frames[0]!;
  const format = ["-f", "f32le", "-ar", `${sampleRate}`, "-ac", `${numberOfChannels}`];
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-nostdin", "-hide_banner", ...format, "-i", "pipe:0"],
      ...["-filter_complex", filter, "-f", "f32le", "pipe:1"],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const input = interleaved(joinSamples(frames), numberOfChannels);
  const written = writer.write(new Uint8Array(input.buffer)).then(() => writer.close());
  const { stdout, stderr, code } = await child.output();
  const log = new TextDecoder().decode(stderr);
  equal(code, 0, log);
  await written;
  const samples = new Float32Array(stdout.slice().buffer);
  return { samples: planar(samples, channels), log };
}

/** The largest difference of two signals of one length. */
export function difference(actual: Float32Array, expected: Float32Array): number {
  equal(actual.length, expected.length);
  let most = 0;
  for (const [index, value] of actual.entries()) {
    const distance = Math.abs(value - expected[index]!);
    if (!(distance <= most)) most = distance; // NaN too
  }
  return most;
}

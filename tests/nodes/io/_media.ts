import { equal } from "node:assert/strict";
import type { AudioFrame, VideoFrame } from "../../../core/mod.ts";

/** Real speech: 20.89 s, 16 kHz, mono, 16 bits. */
export const speech = new URL("../../testdata/conversation.wav", import.meta.url).pathname;

/** Gives a test a directory of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "remotemedia-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs ffmpeg on its own, and gives what it wrote to its standard output. */
export async function ffmpeg(...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  return await tool("ffmpeg", ["-loglevel", "error", "-nostdin", "-y", ...args]);
}

/** Asks ffprobe on its own: lines of comma separated values. */
export async function ffprobe(...args: string[]): Promise<string[][]> {
  const text = new TextDecoder().decode(
    await tool("ffprobe", ["-v", "error", "-of", "csv=p=0", ...args]),
  );
  return text.split("\n").filter((line) => line !== "").map((line) => line.split(","));
}

async function tool(name: string, args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { code, stdout, stderr } = await new Deno.Command(name, { args }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return stdout;
}

/** Bytes as a stream of pieces of one size. */
export function inPieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  }, { highWaterMark: 0 });
}

/** All samples of one channel. */
export function samplesOf(frames: readonly AudioFrame[], channel = 0): Float32Array {
  const samples = new Float32Array(
    frames.reduce((sum, { numberOfFrames }) => sum + numberOfFrames, 0),
  );
  let at = 0;
  for (const frame of frames) {
    samples.set(frame.channel(channel), at);
    at += frame.numberOfFrames;
  }
  return samples;
}

/** The frames of one kind. */
export function kindOf<Kind extends "audio" | "video">(
  frames: readonly (AudioFrame | VideoFrame)[],
  kind: Kind,
): Extract<AudioFrame | VideoFrame, { kind: Kind }>[] {
  return frames.filter((frame) => frame.kind === kind) as Extract<
    AudioFrame | VideoFrame,
    { kind: Kind }
  >[];
}

/** Where `part` is in `whole`: the shift in samples, up to `most` either way, at which they fit best. */
export function shiftOf(part: Float32Array, whole: Float32Array, most: number): number {
  let [best, bestSum] = [0, -Infinity];
  for (let shift = -most; shift <= most; shift++) {
    let sum = 0;
    for (let index = most; index < Math.min(part.length, whole.length) - most; index += 3) {
      sum += part[index]! * whole[index + shift]!;
    }
    if (sum > bestSum) [best, bestSum] = [shift, sum];
  }
  return best;
}

/** How much larger a signal is than its difference from another, in dB. */
export function snrDb(signal: Float32Array, other: Float32Array): number {
  let [power, noise] = [0, 0];
  for (let index = 0; index < Math.min(signal.length, other.length); index++) {
    power += signal[index]! ** 2;
    noise += (signal[index]! - other[index]!) ** 2;
  }
  return 10 * Math.log10(power / noise);
}

/** The processes that this one has started and that have not ended, by id. Linux only. */
export async function childProcesses(): Promise<number[]> {
  const children: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(parent) === Deno.pid && state !== "Z") children.push(Number(name));
    } catch {
      // it has ended meanwhile
    }
  }
  return children;
}

/** Waits for something to become so. */
export async function until(
  isSo: () => Promise<boolean> | boolean,
  withinMs = 5000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!await isSo()) {
    if (performance.now() > end) {
      throw new Error(`It did not become so within ${withinMs} ms: ${isSo}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A tone of one channel. */
export function tone({ frames = 1600, hz = 440, sampleRate = 16_000 } = {}): Float32Array {
  return Float32Array.from(
    { length: frames },
    (_, index) => 0.5 * Math.sin(2 * Math.PI * hz * index / sampleRate),
  );
}

import { equal } from "node:assert/strict";
import { AudioFrame, type AudioFrameInit, type Node } from "../../../core/mod.ts";
import { through } from "../data/_through.ts";

/** A frame with some defaults. */
export function frameOf(init: Partial<AudioFrameInit> & { data: Float32Array }): AudioFrame {
  return new AudioFrame({ sampleRate: 16_000, ...init });
}

/** Frames of 1 to 32 channels, one after another: each a change of format. */
export function anyChannels(frames = 320): AudioFrame[] {
  return Array.from({ length: 32 }, (_, index) => {
    const numberOfChannels = index + 1;
    const data = Float32Array.from({ length: frames * numberOfChannels }, (_, at) => (at % 7) / 10);
    return frameOf({ data, numberOfChannels, timestamp: index * frames * 1e6 / 16_000 });
  });
}

/** Checks that a node gives as many samples as it takes, channel by channel. */
export async function keepsAllSamples(
  node: Node<AudioFrame, AudioFrame, object, never>,
  frames: AudioFrame[],
): Promise<AudioFrame[]> {
  const outputs = await through<AudioFrame>(node as never, frames);
  equal(samplesOf(outputs), samplesOf(frames));
  return outputs;
}

function samplesOf(frames: AudioFrame[]): number {
  return frames.reduce((sum, { data }) => sum + data.length, 0);
}

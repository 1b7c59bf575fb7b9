import { z } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { NodeConfig, NodeOutput } from "../../core/node.ts";
import { requireAudio } from "./_frames.ts";
import { AudioTransform } from "./audio_transform.ts";

/** Options of {@linkcode AudioResampler}. */
export interface AudioResamplerOptions {
  /** Samples a second that go out, in whole Hz, 1 to 768000. */
  sampleRate: number;
}

const schema = z.strictObject({
  sampleRate: z.int().min(1).max(768_000)
    .describe("Samples a second that go out, in whole Hz").meta({ examples: [48_000] }),
});

/**
 * Changes the sample rate and nothing else: {@linkcode AudioTransform} under the original's name, with all that is
 * said there of quality, delay and jumps in time.
 *
 * Its speed, beside that of ffmpeg, is in docs/speed.md.
 *
 * @example
 * ```ts
 * import { AudioResampler } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ sampleRate: 48_000, seconds: 0.1 }));
 * for await (const frame of source.pipeThrough(new AudioResampler({ sampleRate: 16_000 }))) {
 *   console.log(frame.numberOfFrames); // 320
 * }
 * ```
 */
export class AudioResampler extends AudioTransform {
  /** Checks the options. */
  static override readonly options: typeof AudioTransform.options = schema;

  /**
   * Checks the options; nothing runs yet.
   *
   * @param options the rate
   * @param config what is the same for all nodes
   * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
   */
  constructor(options: AudioResamplerOptions = {} as AudioResamplerOptions, config?: NodeConfig) {
    super(options, config);
  }

  /** Takes a frame; gives those that are complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    return super.process(requireAudio(this, chunk));
  }
}

import { z } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireAudio } from "./_frames.ts";

/** The samples of a frame alone, by option `sampleType`. */
export type AudioData = Float32Array | Int16Array;

/** Options of {@linkcode ExtractAudioData}. */
export interface ExtractAudioDataOptions {
  /** Channel after channel, or sample by sample: L R L R … @default "planar" */
  layout: "planar" | "interleaved";
  /** Full scale ±1, or ±32768, rounded and clipped. @default "float32" */
  sampleType: "float32" | "int16";
}

const schema = z.strictObject({
  layout: z.enum(["planar", "interleaved"]).default("planar")
    .describe("Channel after channel, or sample by sample: L R L R"),
  sampleType: z.enum(["float32", "int16"]).default("float32")
    .describe("float32: full scale ±1; int16: full scale ±32768, rounded and clipped"),
});

/**
 * Gives the samples of each frame alone, as one array `[channels × frames]` (`planar`) or `[frames × channels]`
 * (`interleaved`), for code that does not know frames. Time, rate and metadata are gone. As `int16`, NaN
 * is 0 and what is beyond full scale is clipped; as `float32`, samples are as they were, and in planar layout not
 * even copied. An empty frame gives an empty array.
 *
 * @example
 * ```ts
 * import { ExtractAudioData } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ seconds: 0.02, numberOfChannels: 2 }));
 * const node = new ExtractAudioData({ layout: "interleaved", sampleType: "int16" });
 * for await (const samples of source.pipeThrough(node)) console.log(samples.length); // 640
 * ```
 */
export class ExtractAudioData extends Node<AudioFrame, AudioData, ExtractAudioDataOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** Keeps nothing between frames. */
  static override readonly stateless = true;

  /** Gives the samples. */
  override process(chunk: AudioFrame): AudioData {
    const frame = requireAudio(this, chunk);
    const { layout, sampleType } = this.options;
    const samples = layout === "planar" ? frame.data : interleave(frame);
    return sampleType === "float32" ? samples : toInt16(samples);
  }
}

function interleave({ data, numberOfChannels, numberOfFrames }: AudioFrame): Float32Array {
  if (numberOfChannels === 1) return data;
  const samples = new Float32Array(data.length);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    const from = channel * numberOfFrames;
    for (let index = 0; index < numberOfFrames; index++) {
      samples[index * numberOfChannels + channel] = data[from + index]!;
    }
  }
  return samples;
}

function toInt16(samples: Float32Array): Int16Array {
  const whole = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index++) {
    whole[index] = Math.max(-32_768, Math.min(32_767, Math.round(samples[index]! * 32_768)));
  }
  return whole;
}

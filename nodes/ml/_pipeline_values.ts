import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Tensor, type TensorData, tensorTypes } from "../../core/frames/tensor.ts";
import { VideoFrame } from "../../core/frames/video_frame.ts";
import { cannot } from "../../core/errors.ts";
import { requireFiniteAudio } from "../audio/_frames.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { mix } from "../audio/_mix.ts";
import type { LoadedPipeline } from "./_transformers.ts";

/** What came in: its time and metadata go to the frames that come out. */
export interface Origin {
  timestamp: number;
  metadata: Readonly<Record<string, unknown>>;
}

/**
 * A chunk as a pipeline takes it: audio as mono samples, a picture as transformers.js' own image.
 *
 * @throws {RangeError} if audio has another rate than the model
 * @throws {RangeError} if a sample is NaN or infinite
 * @throws {TypeError} on pictures that are not RGBA, and on audio for a model that hears none
 */
export function toPipeline({ transformers, sampleRate }: LoadedPipeline, chunk: unknown): unknown {
  if (chunk instanceof AudioFrame) {
    requireFiniteAudio({ type: "model" }, chunk);
    if (sampleRate === undefined) throw wrongInput("This model", "no audio", chunk);
    if (chunk.sampleRate !== sampleRate) {
      const rule = `audio must have the model's rate, ${sampleRate} Hz`;
      throw new RangeError(cannot("run model", { rule, value: chunk.sampleRate }));
    }
    return mix(chunk.data, chunk.numberOfChannels, 1);
  }
  if (chunk instanceof VideoFrame) {
    const { data, codedWidth, codedHeight, format } = chunk;
    if (format !== "RGBA") {
      throw new TypeError(cannot("run model", { rule: "pictures must be RGBA", value: format }));
    }
    return new transformers.RawImage(new Uint8ClampedArray(data), codedWidth, codedHeight, 4);
  }
  return chunk;
}

/** What a pipeline gives, with frames and tensors of ours for its own, however deep. */
export function fromPipeline(pipeline: LoadedPipeline, value: unknown, origin: Origin): unknown {
  const { Tensor: OwnTensor, RawAudio, RawImage } = pipeline.transformers;
  if (value instanceof OwnTensor) {
    const { type, data, dims } = value as { type: string; data: TensorData; dims: number[] };
    if (type === "float16") {
      return new Tensor({ ...origin, data: Float32Array.from(data as Float32Array), dims });
    }
    if (!tensorTypes.includes(type as never) && type !== "bool") {
      const rule = "tensors must be made of numbers";
      throw new TypeError(cannot("give output of model", { rule, value: type }));
    }
    return new Tensor({ ...origin, data, dims });
  }
  if (value instanceof RawAudio) {
    const { data, sampling_rate: sampleRate } = value;
    return new AudioFrame({ ...origin, data, sampleRate, numberOfChannels: 1 });
  }
  if (value instanceof RawImage) {
    const { data, width, height } = value.rgba();
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return new VideoFrame({
      ...origin,
      data: pixels,
      format: "RGBA",
      codedWidth: width,
      codedHeight: height,
    });
  }
  if (Array.isArray(value)) return value.map((each) => fromPipeline(pipeline, each, origin));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, fromPipeline(pipeline, each, origin)]),
  );
}

import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { NutReader } from "../io/ffmpeg/nut_reader.ts";
import { NutWriter } from "../io/ffmpeg/nut_writer.ts";
import { inputArgs, type Line, OFFSET_US, outputArgs } from "../video/_filter/line.ts";
import { Origins } from "../video/_filter/origins.ts";
import type { ToolParser } from "../video/_filter/tool_run.ts";

/** Up to here, in µs, a frame's time only differs by rounding from the end of the one before. */
const JITTER_US = 10_000;

/** Audio of one format through ffmpeg. Time is counted in samples, and jumps where frames leave a gap. */
export class AudioLine implements Line<AudioFrame> {
  readonly args: readonly string[];
  readonly parser: ToolParser<AudioFrame>;
  readonly #first: AudioFrame;
  readonly #nut: NutWriter;
  readonly #origins = new Origins();
  /** Samples of a channel up to the end of the last frame, gaps included. */
  #count = 0;

  constructor(first: AudioFrame, graph: string) {
    const { sampleRate, numberOfChannels } = first;
    this.#first = first;
    this.args = [...inputArgs, "-map", "0:a", "-af", graph, "-c:a", "pcm_f32le", ...outputArgs];
    this.parser = new AudioParser(first.timestamp, this.#origins);
    this.#nut = new NutWriter([{
      kind: "audio",
      fourcc: "PFD ",
      timeBase: { num: 1, den: sampleRate },
      shape: [sampleRate, numberOfChannels],
    }]);
  }

  header(): Uint8Array {
    return this.#nut.header();
  }

  accepts(frame: AudioFrame): boolean {
    const { sampleRate, numberOfChannels } = this.#first;
    return frame.sampleRate === sampleRate && frame.numberOfChannels === numberOfChannels &&
      this.#gapUs(frame) > -JITTER_US;
  }

  pieces(frame: AudioFrame): Uint8Array[] {
    const gapUs = this.#gapUs(frame);
    if (gapUs >= JITTER_US) this.#count += Math.round(gapUs * frame.sampleRate / 1e6);
    if (frame.numberOfFrames === 0) return [];
    this.#origins.add({ timestamp: frame.timestamp, metadata: frame.metadata });
    const at = this.#count;
    this.#count += frame.numberOfFrames;
    return [this.#nut.frameHeader(0, at, frame.data.byteLength), interleave(frame)];
  }

  /** How much later than the end of the last frame one starts, in µs. */
  #gapUs({ timestamp, sampleRate }: AudioFrame): number {
    return timestamp - this.#first.timestamp - this.#count * 1e6 / sampleRate;
  }
}

/** Reads samples, whose times count from the start of the first frame that was written. */
export class AudioParser implements ToolParser<AudioFrame> {
  readonly #nut = new NutReader();
  readonly #startUs: number;
  readonly #origins: Origins;

  constructor(startUs: number, origins: Origins) {
    this.#startUs = startUs;
    this.#origins = origins;
  }

  get isInside(): boolean {
    return this.#nut.isInside;
  }

  push(piece: Uint8Array): AudioFrame[] {
    return this.#nut.push(piece).map(({ stream, data, timestampUs }) => {
      const { sampleRate, numberOfChannels } = stream;
      const timestamp = Math.round(timestampUs - OFFSET_US + this.#startUs);
      return new AudioFrame({
        data: planar(data, numberOfChannels),
        sampleRate,
        numberOfChannels,
        timestamp,
        metadata: this.#origins.at(timestamp).metadata,
      });
    });
  }
}

/** The samples of a frame, one of each channel after another, as bytes. */
function interleave({ data, numberOfChannels, numberOfFrames }: AudioFrame): Uint8Array {
  const samples = new Float32Array(data.length);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    const from = channel * numberOfFrames;
    for (let index = 0; index < numberOfFrames; index++) {
      samples[index * numberOfChannels + channel] = data[from + index]!;
    }
  }
  return new Uint8Array(samples.buffer);
}

/** The other way round. */
function planar(bytes: Uint8Array, numberOfChannels: number): Float32Array {
  const interleaved = new Float32Array(bytes.slice().buffer);
  if (numberOfChannels === 1) return interleaved;
  const length = interleaved.length / numberOfChannels;
  const samples = new Float32Array(interleaved.length);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    for (let index = 0; index < length; index++) {
      samples[channel * length + index] = interleaved[index * numberOfChannels + channel]!;
    }
  }
  return samples;
}

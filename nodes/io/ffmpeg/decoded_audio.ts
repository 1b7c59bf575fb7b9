import { MediaError } from "../../../core/errors.ts";
import { type AudioFrame, MAX_CHANNELS } from "../../../core/frames/audio_frame.ts";
import { mix } from "../../audio/_mix.ts";
import { AudioFramer } from "../_audio_framer.ts";
import type { ReadJob } from "../_read_job.ts";
import { type TimeRange, timeRange } from "../_time_range.ts";
import { decodeSamples } from "../wav/samples.ts";
import type { NutStream } from "./nut_reader.ts";

/** From here on, in µs, audio that comes late leaves a gap; below, timestamps were only rounded. */
const GAP_US = 10_000;

/**
 * Packets of samples as frames of one size. Time is counted in samples from the first packet's timestamp,
 * and anew after a gap.
 */
export class DecodedAudio {
  readonly #stream: NutStream;
  readonly #frameMs: number;
  readonly #channels: number;
  readonly #range: TimeRange;
  #framer: AudioFramer | undefined;
  #startUs = NaN;
  /** Sample frames since `#startUs`. */
  #count = 0;

  /** @throws {MediaError} if its channels are too many */
  constructor(stream: NutStream, { name, options }: ReadJob) {
    const { numberOfChannels } = stream;
    if (numberOfChannels > MAX_CHANNELS) {
      throw new MediaError(
        `Cannot read media from ${name} as it has ${numberOfChannels} channels where at most ${MAX_CHANNELS} can be`,
      );
    }
    this.#stream = stream;
    this.#frameMs = options.frameMs;
    this.#channels = options.channels ?? numberOfChannels;
    this.#range = timeRange(options);
  }

  /** Takes interleaved 32-bit samples, of which the first is heard at `timestampUs`. */
  push(data: Uint8Array, timestampUs: number): AudioFrame[] {
    const { sampleRate, numberOfChannels } = this.#stream;
    const samples = decodeSamples(data, "f32", numberOfChannels);
    const length = samples.length / numberOfChannels;
    const frames: AudioFrame[] = [];
    let atUs = this.#startUs + this.#count * 1e6 / sampleRate;
    const isGap = !(timestampUs - atUs < GAP_US);
    if (isGap) {
      atUs = this.#startUs = timestampUs;
      this.#count = 0;
    }
    this.#count += length;
    const from = Math.max(0, Math.round((this.#range.fromUs - atUs) * sampleRate / 1e6));
    const to = Math.min(length, Math.round((this.#range.toUs - atUs) * sampleRate / 1e6));
    if (from >= to) return frames;
    const startUs = atUs + from * 1e6 / sampleRate;
    if (this.#framer === undefined) {
      const shape = { sampleRate, numberOfChannels: this.#channels };
      this.#framer = new AudioFramer(shape, { frameMs: this.#frameMs, startUs });
    } else if (isGap) {
      frames.push(...this.#framer.restart(startUs));
    }
    const mixed = mix(samples, numberOfChannels, this.#channels);
    frames.push(...this.#framer.push(mixed, from, to));
    return frames;
  }

  /** What is left at the end. */
  flush(): AudioFrame[] {
    return this.#framer?.flush() ?? [];
  }
}

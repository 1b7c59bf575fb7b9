import { MediaError } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";

/** From here on, in µs, audio that comes late leaves a gap; below, timestamps were only rounded. */
const GAP_US = 10_000;

/** No gap is longer, in s: a longer one is a mistake in the timestamps, and would fill the disk. */
const MAX_GAP_S = 86_400;

/** Samples of silence that are given at once. */
const SILENCE_SAMPLES = 65_536;

/** Options of {@linkcode AudioTimeline}. */
interface TimelineOptions {
  /** What is done, to follow `Cannot` in messages. */
  action: string;
  /** When the file starts, in µs. */
  originUs: number;
  /** What becomes of gaps. */
  gaps: "silence" | "skip";
}

/**
 * Puts frames on a line of samples without holes: where a frame comes late, silence comes before it. A
 * frame that comes early, or has no time of its own, follows the one before it. All frames must be alike.
 */
export class AudioTimeline {
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  readonly #options: TimelineOptions;
  #count = 0;

  /** @param first the first frame; those that follow must have its rate and channels */
  constructor(first: AudioFrame, options: TimelineOptions) {
    const { sampleRate, numberOfChannels } = first;
    if (!Number.isInteger(sampleRate)) {
      throw new MediaError(
        `Cannot ${options.action} as its sample rate must be whole: current value is ${sampleRate}`,
      );
    }
    this.sampleRate = sampleRate;
    this.numberOfChannels = numberOfChannels;
    this.#options = options;
  }

  /** Sample frames so far. */
  get count(): number {
    return this.#count;
  }

  /** The pieces to write for a frame: planar, the frame's own samples last. */
  *piecesOf(frame: AudioFrame): Generator<Float32Array, void, undefined> {
    this.#checkAlike(frame);
    const { numberOfChannels } = this;
    for (let left = this.#gapBefore(frame); left > 0;) {
      const frames = Math.min(left, Math.ceil(SILENCE_SAMPLES / numberOfChannels));
      this.#count += frames;
      left -= frames;
      yield new Float32Array(frames * numberOfChannels);
    }
    this.#count += frame.numberOfFrames;
    if (frame.numberOfFrames > 0) yield frame.data;
  }

  #gapBefore({ timestamp }: AudioFrame): number {
    const { originUs, gaps, action } = this.#options;
    if (gaps === "skip") return 0;
    const due = Math.round((timestamp - originUs) * this.sampleRate / 1e6);
    const gap = due - this.#count;
    if (gap * 1e6 < GAP_US * this.sampleRate) return 0;
    if (gap > MAX_GAP_S * this.sampleRate) {
      const seconds = Math.round(gap / this.sampleRate);
      throw new MediaError(
        `Cannot ${action} as a gap of ${seconds} s would have to be filled with silence: give gaps "skip"`,
      );
    }
    return gap;
  }

  #checkAlike({ sampleRate, numberOfChannels }: AudioFrame): void {
    if (sampleRate === this.sampleRate && numberOfChannels === this.numberOfChannels) return;
    const words = (rate: number, channels: number) => `${rate} Hz and ${channels} channels`;
    throw new MediaError(
      `Cannot ${this.#options.action} as audio of ${
        words(sampleRate, numberOfChannels)
      } came after ` +
        `${words(this.sampleRate, this.numberOfChannels)}: put an AudioTransform in front`,
    );
  }
}

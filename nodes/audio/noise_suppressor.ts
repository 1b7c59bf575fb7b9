import { z } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { DenoisedRun, type DenoisedRunState } from "./_denoised_run.ts";
import { requireFiniteAudio } from "./_frames.ts";
import { loadRnnoise, type RnnoiseLibrary } from "./_rnnoise.ts";
import { goesOn, outputOf } from "./_run.ts";
import { loadSpeex, type Speex } from "./_speex.ts";

/** Options of {@linkcode NoiseSuppressor}. */
export interface NoiseSuppressorOptions {
  /** How much of what goes out is suppressed: 0 is the audio as it came, 1 is all of RNNoise. @default 1 */
  strength: number;
}

const schema = z.strictObject({
  strength: z.number().min(0).max(1).default(1)
    .describe(
      "How much of what goes out is suppressed: 0 is the audio as it came, 1 all of RNNoise",
    ),
});

/**
 * Takes noise out of speech: RNNoise 0.2 (J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band
 * Speech Enhancement", 2018), as WebAssembly, inside the process, for each channel by itself. Made for voices: music
 * and tones are noise to it.
 *
 * Each frame comes out as one frame with its time and metadata, to the sample where it was. RNNoise works at 48 kHz;
 * other rates are resampled there and back, and have nothing above 24 kHz after that. It comes 30 ms late, at other
 * rates also by the resamplers' 5 ms to 16 ms. One channel takes about a seventh of a core: it
 * is a neural network, many times the work of ffmpeg's `afftdn`, which is there as an `AudioFilter`.
 *
 * Where the format changes, or the timestamp jumps by more than 40 ms, what is held comes out and it learns the
 * noise anew; so it does after an interrupt. NaN and Infinity fail the stream, for it would not recover.
 *
 * @example
 * ```ts
 * import { NoiseSuppressor } from "@remotemedia/sdk/nodes";
 * import { noise } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(noise({ sampleRate: 48_000, amplitude: 0.1, seconds: 0.5 }));
 * const frames = await Array.fromAsync(source.pipeThrough(new NoiseSuppressor()));
 * console.log(Math.max(...frames.at(-1)!.data) < 0.01); // true
 * ```
 */
export class NoiseSuppressor extends Node<AudioFrame, AudioFrame, NoiseSuppressorOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  #rnnoise: RnnoiseLibrary | undefined;
  #speex: Speex | undefined;
  #run: DenoisedRun | undefined;

  /** Loads RNNoise and the resampler. */
  override async open(): Promise<void> {
    [this.#rnnoise, this.#speex] = await Promise.all([loadRnnoise(), loadSpeex()]);
  }

  /** Takes a frame; gives those that are complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireFiniteAudio(this, chunk);
    const frames = goesOn(this.#run, frame) ? [] : this.#endRun();
    const { sampleRate, numberOfChannels: channels } = frame;
    this.#run ??= this.#startRun({ sampleRate, channels });
    frames.push(...this.#mixed(this.#run.add(frame)));
    return outputOf(frames);
  }

  /** Gives what is held. */
  override flush(): NodeOutput<AudioFrame> {
    return outputOf(this.#endRun());
  }

  /** Forgets what is held. */
  override onInterrupt(): void {
    this.#run?.[Symbol.dispose]();
    this.#run = undefined;
  }

  /** Frees its memory. */
  override close(): void {
    this.onInterrupt();
  }

  /** What is held, and what RNNoise knows of the noise. */
  override snapshot(): unknown {
    return this.#run?.snapshot() ?? null;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.onInterrupt();
    if (state === null) return;
    const run = state as DenoisedRunState;
    this.#run = this.#startRun(run);
    this.#run.restore(run);
  }

  #startRun(format: { sampleRate: number; channels: number }): DenoisedRun {
    return new DenoisedRun({ rnnoise: this.#rnnoise!, speex: this.#speex! }, format);
  }

  #endRun(): AudioFrame[] {
    const run = this.#run;
    if (run === undefined) return [];
    const frames = this.#mixed(run.finish());
    this.onInterrupt();
    return frames;
  }

  /** The frames with the samples that go out. */
  #mixed(denoised: { frame: AudioFrame; data: Float32Array }[]): AudioFrame[] {
    const { strength } = this.options;
    return denoised.map(({ frame, data }) => {
      if (strength === 1) return frame.with({ data });
      const mixed = data.map((sample, at) => strength * sample + (1 - strength) * frame.data[at]!);
      return frame.with({ data: mixed });
    });
  }
}

import { z, type ZodType } from "zod";
import { AudioFrame, MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import { requireAudio } from "./_frames.ts";
import { mix } from "./_mix.ts";
import { PlanarQueue } from "./_planar_queue.ts";
import { type ResamplerState, StreamingResampler } from "./_resampler.ts";
import { type FrameState, frameState, goesOn, outputOf, type Run } from "./_run.ts";
import { loadSpeex, type Speex } from "./_speex.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** Options of {@linkcode AudioTransform}. */
export interface AudioTransformOptions {
  /** Samples a second that go out, in whole Hz, 1 to 768000. @default as they come */
  sampleRate?: number;
  /** Channels that go out, 1 to 32. @default as they come */
  channels?: number;
}

const schema = z.strictObject({
  sampleRate: z.int().min(1).max(768_000).optional()
    .describe("Samples a second that go out, in whole Hz; as they come if absent"),
  channels: z.int().min(1).max(MAX_CHANNELS).optional()
    .describe("Channels that go out; as they come if absent"),
});

/** Frames of one format without a jump in time, on their way through a resampler. */
interface ResampledRun extends Run {
  resampler: StreamingResampler;
  /** Resampled, not yet given. Bounded by the longest of the frames that wait. */
  samples: PlanarQueue;
  /** Frames whose last sample is not yet told. Bounded by what the filter holds: 16 ms at 16 kHz. */
  waiting: { frame: AudioFrame; end: number }[];
  /** Where the last frame given ended, in samples of the output. */
  given: number;
}

/** State of {@linkcode AudioTransform}, structured-clonable. */
interface RunState {
  sampleRate: number;
  channels: number;
  resampler: ResamplerState;
  timeline: TimelineState;
  samples: Float32Array;
  waiting: { frame: FrameState; end: number }[];
  given: number;
}

/**
 * Changes sample rate and channels. Each frame comes out as one frame with its timestamp and metadata; a
 * frame that has the wanted format already comes out as it is.
 *
 * Rate: band-limited with state across frames (windowed sinc of SpeexDSP, pass band to 94 % of the lower
 * Nyquist frequency, stop band below -100 dB), so the samples do not depend on how the stream is cut, and
 * n frames of a run become `round(n × ratio)`. A frame comes out when the filter has seen 8 ms (at 16 kHz; 128
 * samples of the lower rate) past its end, so usually with the next one. The rate must be within a factor
 * of 256 of what comes in. NaN or Infinity spoils what is within the filter's length of it, no more.
 *
 * Channels: N to 1 is the mean, 1 to N copies; between 2, 4 (quad) and 6 (5.1), and from 3 to 8 to stereo, as in the
 * Web Audio API's "speakers" rules, scaled not to clip; any other keeps the first channels and leaves missing
 * ones silent.
 *
 * Where the format changes, or the timestamp jumps by more than 40 ms, the filter is flushed and starts anew.
 *
 * Its speed, beside that of ffmpeg, is in docs/speed.md.
 *
 * @example
 * ```ts
 * import { AudioTransform } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ sampleRate: 48_000, numberOfChannels: 2, seconds: 0.1 }));
 * for await (const frame of source.pipeThrough(new AudioTransform({ sampleRate: 16_000, channels: 1 }))) {
 *   console.log(frame.sampleRate, frame.numberOfChannels, frame.numberOfFrames); // 16000 1 320
 * }
 * ```
 */
export class AudioTransform extends Node<AudioFrame, AudioFrame, AudioTransformOptions> {
  /** Checks the options. */
  static override readonly options: ZodType<AudioTransformOptions> = schema;

  /** What it takes and gives, checked before anything runs. */
  static formats({ sampleRate, channels }: AudioTransformOptions): NodeFormats {
    return {
      accepts: { kinds: ["audio"] },
      gives: {
        kinds: ["audio"],
        ...(sampleRate !== undefined && { sampleRate }),
        ...(channels !== undefined && { channels }),
      },
      passes: true,
    };
  }

  #speex: Speex | undefined;
  #run: ResampledRun | undefined;

  /** Loads the resampler, if a rate is asked for. */
  override async open(): Promise<void> {
    if (this.options.sampleRate !== undefined) this.#speex = await loadSpeex();
  }

  /** Takes a frame; gives those that are complete by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    const { sampleRate = frame.sampleRate, channels = frame.numberOfChannels } = this.options;
    const left = goesOn(this.#run, frame) ? [] : this.#endRun();
    if (frame.sampleRate === sampleRate) {
      left.push(withChannels(frame, channels));
      return outputOf(left);
    }
    const run = this.#run ??= this.#startRun(frame, sampleRate);
    const before = Math.min(frame.numberOfChannels, channels);
    run.samples.push(run.resampler.process(mix(frame.data, frame.numberOfChannels, before)));
    run.timeline.add(frame.timestamp, frame.numberOfFrames);
    run.timeline.forget(run.timeline.position);
    const end = Math.round(run.timeline.position * sampleRate / frame.sampleRate);
    run.waiting.push({ frame, end });
    return outputOf([...left, ...this.#complete(run)]);
  }

  /** Gives what the filter still holds. */
  override flush(): NodeOutput<AudioFrame> {
    return outputOf(this.#endRun());
  }

  /** Forgets what the filter holds. */
  override onInterrupt(): void {
    this.#run?.resampler[Symbol.dispose]();
    this.#run = undefined;
  }

  /** Frees the resampler. */
  override close(): void {
    this.onInterrupt();
  }

  /** What the filter holds, and the frames that wait for it. */
  override snapshot(): unknown {
    if (this.#run === undefined) return null;
    const { sampleRate, channels, resampler, timeline, samples, waiting, given } = this.#run;
    return {
      sampleRate,
      channels,
      resampler: resampler.snapshot(),
      timeline: timeline.snapshot(),
      samples: samples.peek(),
      waiting: waiting.map(({ frame, end }) => ({ frame: frameState(frame), end })),
      given,
    } satisfies RunState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.onInterrupt();
    if (state === null) return;
    const { sampleRate, channels, resampler, timeline, samples, waiting, given } =
      state as RunState;
    const run = this.#makeRun({ sampleRate, channels, outputRate: this.options.sampleRate! });
    run.resampler.restore(resampler);
    run.timeline.restore(timeline);
    run.samples.push(samples);
    run.waiting = waiting.map(({ frame, end }) => ({ frame: new AudioFrame(frame), end }));
    run.given = given;
    this.#run = run;
  }

  #startRun({ sampleRate, numberOfChannels }: AudioFrame, outputRate: number): ResampledRun {
    return this.#makeRun({ sampleRate, channels: numberOfChannels, outputRate });
  }

  #makeRun(
    { sampleRate, channels, outputRate }: {
      sampleRate: number;
      channels: number;
      outputRate: number;
    },
  ): ResampledRun {
    // fewer channels to filter: mixed before where they become fewer, after where they become more
    const numberOfChannels = Math.min(channels, this.options.channels ?? channels);
    return {
      sampleRate,
      channels,
      resampler: new StreamingResampler(this.#speex!, {
        inputRate: sampleRate,
        outputRate,
        numberOfChannels,
      }),
      timeline: new Timeline(sampleRate),
      samples: new PlanarQueue(numberOfChannels),
      waiting: [],
      given: 0,
    };
  }

  /** The frames whose samples are all there. */
  #complete(run: ResampledRun): AudioFrame[] {
    const { sampleRate, channels } = this.options;
    const frames: AudioFrame[] = [];
    while (run.waiting.length > 0) {
      const { frame, end } = run.waiting[0]!;
      const length = end - run.given;
      if (run.samples.length < length) break;
      run.waiting.shift();
      run.given = end;
      const filtered = Math.min(run.channels, channels ?? run.channels);
      const numberOfChannels = channels ?? run.channels;
      const data = mix(run.samples.take(length), filtered, numberOfChannels);
      frames.push(frame.with({ data, sampleRate, numberOfChannels }));
    }
    return frames;
  }

  #endRun(): AudioFrame[] {
    const run = this.#run;
    if (run === undefined) return [];
    this.#run = undefined;
    run.samples.push(run.resampler.flush());
    run.resampler[Symbol.dispose]();
    return this.#complete(run);
  }
}

function withChannels(frame: AudioFrame, channels: number): AudioFrame {
  if (frame.numberOfChannels === channels) return frame;
  const data = mix(frame.data, frame.numberOfChannels, channels);
  return frame.with({ data, numberOfChannels: channels });
}

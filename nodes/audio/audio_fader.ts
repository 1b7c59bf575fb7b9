import { z } from "zod";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Metadata } from "../../core/frames/mod.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireAudio } from "./_frames.ts";
import { PlanarQueue } from "./_planar_queue.ts";
import { goesOn, outputOf, type Run } from "./_run.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** Options of {@linkcode AudioFader}. */
export interface AudioFaderOptions {
  /** How long the fades are, and how much later audio comes out, in ms, 1 to 1000. @default 20 */
  fadeMs: number;
  /** Whether audio that starts after an interrupt is faded in. @default true */
  fadeIn: boolean;
}

const schema = z.strictObject({
  fadeMs: z.number().min(1).max(1000).default(20)
    .describe("How long the fades are, and how much later audio comes out, in ms"),
  fadeIn: z.boolean().default(true)
    .describe("Whether audio that starts after an interrupt is faded in"),
});

/** Frames of one format without a jump in time. */
interface FadedRun extends Run {
  /** Held back. Bounded: `fadeMs`, and what one frame adds. */
  samples: PlanarQueue;
  /** Whose metadata holds from which sample on. Bounded: those of the samples held. */
  metadata: { position: number; metadata: Metadata }[];
  /** Where fading in began, in samples of the run; nowhere if it is not wanted. */
  fadeFrom: number;
}

/** State of {@linkcode AudioFader}, structured-clonable. */
interface FaderState {
  rises: boolean;
  run: {
    sampleRate: number;
    channels: number;
    timeline: TimelineState;
    samples: Float32Array;
    metadata: { position: number; metadata: Metadata }[];
    fadeFrom: number;
  } | null;
}

/**
 * Ends audio softly when it is interrupted, so that barge-in does not click. It holds back the last `fadeMs` of
 * what came; on an interrupt these are given faded out (with `metadata.fade: "out"`), everything else in the
 * pipeline is dropped, and what starts after that is faded in. Put it last, with no queue behind it.
 *
 * The fades are half a period of a cosine (`hsin` of ffmpeg's `afade`): `(1 - cos(πx)) / 2`. Without an interrupt the
 * samples are bit for bit those that came, each with its time, `fadeMs` later; frames are cut anew. The end of
 * the stream, a change of format and a jump of more than 40 ms give what is held as it is. Empty frames
 * vanish; NaN stays NaN.
 *
 * @example
 * ```ts
 * import { AudioFader } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const fader = new AudioFader({ fadeMs: 20 });
 * const reader = fader.readable.getReader();
 * const writer = fader.writable.getWriter();
 * const [first, second] = sine({ frameSize: 800 }); // 50 ms each
 * void writer.write(first!);
 * console.log((await reader.read()).value!.numberOfFrames); // 480: all but 20 ms
 * void fader.interrupt();
 * console.log((await reader.read()).value!.metadata.fade); // "out"
 * void writer.write(second!);
 * console.log((await reader.read()).value!.data[0]); // 0: fades in
 * await reader.cancel();
 * ```
 */
export class AudioFader extends Node<AudioFrame, AudioFrame, AudioFaderOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  #run: FadedRun | undefined;
  /** Whether the next run is faded in. */
  #rises = false;

  /** Takes a frame; gives all but the last `fadeMs` of what there is. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    if (frame.numberOfFrames === 0) return;
    const frames = goesOn(this.#run, frame) ? [] : this.#endRun();
    const run = this.#run ??= this.#startRun(frame);
    run.metadata.push({ position: run.timeline.position, metadata: frame.metadata });
    run.timeline.add(frame.timestamp, frame.numberOfFrames);
    run.samples.push(frame.data);
    const free = run.samples.length - this.#fadeLength(run);
    if (free > 0) frames.push(this.#take(run, free));
    return outputOf(frames);
  }

  /** Gives what is held. */
  override flush(): NodeOutput<AudioFrame> {
    return outputOf(this.#endRun());
  }

  /** Gives what is held, faded out. */
  override onInterrupt(): NodeOutput<AudioFrame> {
    const [frame] = this.#endRun();
    this.#rises = this.options.fadeIn;
    if (frame === undefined) return;
    const { data, numberOfFrames } = frame;
    for (let index = 0; index < data.length; index++) {
      data[index]! *= 1 - rise((index % numberOfFrames + 1) / numberOfFrames);
    }
    return frame.with({ metadata: { ...frame.metadata, fade: "out" } });
  }

  /** What is held. */
  override snapshot(): unknown {
    if (this.#run === undefined) return { rises: this.#rises, run: null } satisfies FaderState;
    const { sampleRate, channels, timeline, samples, metadata, fadeFrom } = this.#run;
    return {
      rises: this.#rises,
      run: {
        sampleRate,
        channels,
        timeline: timeline.snapshot(),
        samples: samples.peek(),
        metadata: [...metadata],
        fadeFrom,
      },
    } satisfies FaderState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { rises, run } = state as FaderState;
    this.#rises = rises;
    this.#run = undefined;
    if (run === null) return;
    const timeline = new Timeline(run.sampleRate);
    timeline.restore(run.timeline);
    const samples = new PlanarQueue(run.channels);
    samples.push(run.samples);
    this.#run = { ...run, timeline, samples, metadata: [...run.metadata] };
  }

  #startRun({ sampleRate, numberOfChannels }: AudioFrame): FadedRun {
    const fadeFrom = this.#rises ? 0 : -Infinity;
    this.#rises = false;
    return {
      sampleRate,
      channels: numberOfChannels,
      timeline: new Timeline(sampleRate),
      samples: new PlanarQueue(numberOfChannels),
      metadata: [],
      fadeFrom,
    };
  }

  #fadeLength({ sampleRate }: Run): number {
    return Math.max(1, Math.round(this.options.fadeMs * sampleRate / 1000));
  }

  /** The first samples that are held, as a frame whose samples nobody else has. */
  #take(run: FadedRun, frames: number): AudioFrame {
    const { sampleRate, channels, timeline, samples } = run;
    const position = timeline.position - samples.length;
    timeline.forget(position);
    while (run.metadata.length > 1 && run.metadata[1]!.position <= position) run.metadata.shift();
    const data = samples.take(frames).slice();
    const rising = Math.min(frames, run.fadeFrom + this.#fadeLength(run) - position);
    for (let channel = 0; channel < channels; channel++) {
      for (let index = 0; index < rising; index++) {
        data[channel * frames + index]! *= rise((position + index) / this.#fadeLength(run));
      }
    }
    return new AudioFrame({
      data,
      sampleRate,
      numberOfChannels: channels,
      timestamp: timeline.at(position),
      metadata: run.metadata[0]!.metadata,
    });
  }

  #endRun(): AudioFrame[] {
    const run = this.#run;
    this.#run = undefined;
    return run === undefined ? [] : [this.#take(run, run.samples.length)];
  }
}

/** From 0 at 0 to 1 at 1, level at both ends. */
function rise(x: number): number {
  return (1 - Math.cos(Math.PI * x)) / 2;
}

import { z, type ZodType } from "zod";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Metadata } from "../../core/frames/mod.ts";
import type { NodeFormats } from "../../core/manifest/formats.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import { requireAudio } from "./_frames.ts";
import { PlanarQueue } from "./_planar_queue.ts";
import { goesOn, outputOf, type Run } from "./_run.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** Options of {@linkcode AudioBuffer}: exactly one of them. */
export interface AudioBufferOptions {
  /** Samples of each channel in each frame. */
  frameSize?: number;
  /** How long each frame is, in ms; rounded to whole samples, at least one. */
  frameMs?: number;
}

const schema = z.strictObject({
  frameSize: z.int().min(1).optional()
    .describe("Samples of each channel in each frame; either this or frameMs"),
  frameMs: z.number().positive().optional()
    .describe("How long each frame is, in ms, rounded to whole samples; either this or frameSize")
    .meta({ examples: [20] }),
}).refine(({ frameSize, frameMs }) => (frameSize === undefined) !== (frameMs === undefined), {
  error: "exactly one of frameSize and frameMs must be given",
});

/** Frames of one format without a jump in time. */
interface BufferedRun extends Run {
  /** Bounded: less than one frame when `process()` is done. */
  samples: PlanarQueue;
  /** Whose metadata holds from which sample on. Bounded: those of the samples that wait. */
  metadata: { position: number; metadata: Metadata }[];
}

/** State of {@linkcode AudioBuffer}, structured-clonable. */
interface RunState {
  sampleRate: number;
  channels: number;
  timeline: TimelineState;
  samples: Float32Array;
  metadata: { position: number; metadata: Metadata }[];
}

/**
 * Cuts audio into frames of an exact size, whatever sizes come in. What is left at the end comes out as
 * one shorter frame.
 *
 * A frame has the time of its first sample and the metadata of the frame which that came in. Where the
 * format changes, or the timestamp jumps by more than 40 ms, what is left comes out as a shorter frame
 * and cutting starts anew, so no frame holds two formats or such a gap. Empty frames vanish.
 *
 * @example
 * ```ts
 * import { AudioBuffer } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ seconds: 0.1, frameSize: 160 })); // 1600 samples
 * const frames = await Array.fromAsync(source.pipeThrough(new AudioBuffer({ frameSize: 512 })));
 * console.log(frames.map((frame) => frame.numberOfFrames)); // [512, 512, 512, 64]
 * ```
 */
export class AudioBuffer extends Node<AudioFrame, AudioFrame, AudioBufferOptions> {
  /** Checks the options. */
  static override readonly options: ZodType<AudioBufferOptions> = schema;

  /** What it takes and gives, checked before anything runs. */
  static formats(): NodeFormats {
    return { accepts: { kinds: ["audio"] }, gives: { kinds: ["audio"] }, passes: true };
  }

  #run: BufferedRun | undefined;

  /** Takes a frame; gives those that are full by now. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    if (frame.numberOfFrames === 0) return;
    const frames = goesOn(this.#run, frame) ? [] : this.#endRun();
    const run = this.#run ??= makeRun(frame.sampleRate, frame.numberOfChannels);
    run.metadata.push({ position: run.timeline.position, metadata: frame.metadata });
    run.timeline.add(frame.timestamp, frame.numberOfFrames);
    run.samples.push(frame.data);
    const size = this.#frameSize(run.sampleRate);
    while (run.samples.length >= size) frames.push(takeFrame(run, size));
    return outputOf(frames);
  }

  /** Gives what is left. */
  override flush(): NodeOutput<AudioFrame> {
    return outputOf(this.#endRun());
  }

  /** Forgets what is left. */
  override onInterrupt(): void {
    this.#run = undefined;
  }

  /** What waits to become a frame. */
  override snapshot(): unknown {
    if (this.#run === undefined) return null;
    const { sampleRate, channels, timeline, samples, metadata } = this.#run;
    return {
      sampleRate,
      channels,
      timeline: timeline.snapshot(),
      samples: samples.peek(),
      metadata: [...metadata],
    } satisfies RunState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.#run = undefined;
    if (state === null) return;
    const { sampleRate, channels, timeline, samples, metadata } = state as RunState;
    this.#run = makeRun(sampleRate, channels);
    this.#run.timeline.restore(timeline);
    this.#run.samples.push(samples);
    this.#run.metadata = [...metadata];
  }

  #frameSize(sampleRate: number): number {
    const { frameSize, frameMs } = this.options;
    return frameSize ?? Math.max(1, Math.round(frameMs! * sampleRate / 1000));
  }

  #endRun(): AudioFrame[] {
    const run = this.#run;
    this.#run = undefined;
    return run === undefined || run.samples.length === 0
      ? []
      : [takeFrame(run, run.samples.length)];
  }
}

function makeRun(sampleRate: number, channels: number): BufferedRun {
  return {
    sampleRate,
    channels,
    timeline: new Timeline(sampleRate),
    samples: new PlanarQueue(channels),
    metadata: [],
  };
}

function takeFrame(run: BufferedRun, size: number): AudioFrame {
  const position = run.timeline.position - run.samples.length;
  run.timeline.forget(position);
  while (run.metadata.length > 1 && run.metadata[1]!.position <= position) run.metadata.shift();
  return new AudioFrame({
    data: run.samples.take(size),
    sampleRate: run.sampleRate,
    numberOfChannels: run.channels,
    timestamp: run.timeline.at(position),
    metadata: run.metadata[0]!.metadata,
  });
}

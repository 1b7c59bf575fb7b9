import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireFiniteAudio } from "./_frames.ts";
import { type LevelReading, LevelRun, type LevelRunState } from "./_level_run.ts";
import { LoudnessGate } from "./_loudness_gate.ts";
import { goesOn, outputOf } from "./_run.ts";

export type { LevelReading } from "./_level_run.ts";

/** What an {@linkcode AudioLevelMeter} gives, by its option `emit`. */
export interface LevelOutput {
  /** One reading an interval. */
  readings: LevelReading;
  /** Every frame, with `metadata.level`: the last reading, once there is one. */
  annotate: AudioFrame;
}

/** Options of {@linkcode AudioLevelMeter}. */
export interface AudioLevelMeterOptions {
  /** How often it reads, in ms, a multiple of 100. @default 100 */
  intervalMs: number;
  /** Whether peaks between samples are looked for, which costs most of the time. @default true */
  truePeak: boolean;
  /** What to give. @default "readings" */
  emit: keyof LevelOutput;
}

/** Options of {@linkcode AudioLevelMeter}, as one writes them. */
export type AudioLevelMeterInput<E extends keyof LevelOutput = keyof LevelOutput> =
  & Partial<Omit<AudioLevelMeterOptions, "emit">>
  & {
    /** What to give. @default "readings" */
    emit?: E;
  };

const schema = z.strictObject({
  intervalMs: z.int().min(100).max(60_000).multipleOf(100).default(100)
    .describe("How often it reads, in ms, a multiple of 100"),
  truePeak: z.boolean().default(true)
    .describe("Whether peaks between samples are looked for, which costs most of the time"),
  emit: z.enum(["readings", "annotate"]).default("readings")
    .describe("One reading an interval, or every frame with the last reading as metadata.level"),
});

/** The lowest rate that the K filter is made for, in Hz. */
const LOWEST_RATE = 8000;

/**
 * Measures level: RMS, peak and true peak of each channel (dBFS, a sine of full scale has an RMS of -3.01), and loudness
 * after EBU R 128: momentary (400 ms), short-term (3 s) and integrated (LUFS; gated, of the whole stream). Silence is
 * `-Infinity`. K filter, gates and true-peak filter are those of ITU-R BS.1770-4, windows those of EBU Tech 3341.
 *
 * Channels of 4, 5 and 6 (L R SL SR, L R C SL SR, L R C LFE SL SR) are weighted as surround, others count alike.
 * The last reading may be shorter. Where the format changes, or the timestamp jumps by more than 40 ms, windows
 * begin anew; the integrated loudness goes on, also after an interrupt. Integrated loudness is kept in bins: memory does
 * not grow. NaN and Infinity fail the stream, as do rates below 8 kHz.
 *
 * @typeParam E what it gives
 *
 * @example
 * ```ts
 * import { AudioLevelMeter } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ frequency: 1000, amplitude: 0.1, seconds: 1 }));
 * const readings = await Array.fromAsync(source.pipeThrough(new AudioLevelMeter()));
 * console.log(readings.length, readings.at(-1)!.integrated.toFixed(1)); // 10 "-23.0"
 * ```
 */
export class AudioLevelMeter<E extends keyof LevelOutput = "readings">
  extends Node<AudioFrame, LevelOutput[E], AudioLevelMeterOptions, AudioLevelMeterInput<E>> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  readonly #gate = new LoudnessGate();
  #run: LevelRun | undefined;
  #last: LevelReading | null = null;

  /** Measures a frame. */
  override process(chunk: AudioFrame): NodeOutput<LevelOutput[E]> {
    const frame = requireFiniteAudio(this, chunk);
    const readings = goesOn(this.#run, frame) ? [] : this.#endRun();
    this.#run ??= this.#startRun(frame);
    readings.push(...this.#run.add(frame));
    this.#last = readings.at(-1) ?? this.#last;
    if (this.options.emit === "readings") return outputOf(readings as LevelOutput[E][]);
    const level = this.#last === null ? {} : { level: this.#last };
    return frame.with({ metadata: { ...frame.metadata, ...level } }) as LevelOutput[E];
  }

  /** Gives the last reading, of what is left. */
  override flush(): NodeOutput<LevelOutput[E]> {
    const readings = this.#endRun();
    return this.options.emit === "readings" ? outputOf(readings as LevelOutput[E][]) : undefined;
  }

  /** Begins its windows anew. */
  override onInterrupt(): void {
    this.#run = undefined;
  }

  /** Filters, windows, and the bins of the integrated loudness. */
  override snapshot(): unknown {
    const run = this.#run?.snapshot() ?? null;
    return { gate: this.#gate.snapshot(), last: this.#last, run } satisfies MeterState;
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    const { gate, last, run } = state as MeterState;
    this.#gate.restore(gate);
    this.#last = last;
    this.#run = undefined;
    if (run === null) return;
    this.#run = new LevelRun(run.format, this.#gate);
    this.#run.restore(run);
  }

  #startRun({ sampleRate, numberOfChannels: channels }: AudioFrame): LevelRun {
    if (sampleRate < LOWEST_RATE) {
      const rule = `sampleRate must be at least ${LOWEST_RATE} Hz`;
      throw new RangeError(cannot("measure loudness", { rule, value: sampleRate }));
    }
    const { intervalMs, truePeak } = this.options;
    return new LevelRun({ sampleRate, channels, hops: intervalMs / 100, truePeak }, this.#gate);
  }

  #endRun(): LevelReading[] {
    const reading = this.#run?.finish();
    this.#run = undefined;
    return reading === undefined ? [] : [reading];
  }
}

/** State of a meter, structured-clonable. */
interface MeterState {
  gate: [bin: number, count: number, power: number][];
  last: LevelReading | null;
  run: LevelRunState | null;
}

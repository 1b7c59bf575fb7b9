import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Marker } from "../../core/frames/marker.ts";
import { Node } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { factorOf, requireAudio, SILENCE_DB } from "./_frames.ts";

/** Options of {@linkcode AudioGain}. */
export interface AudioGainOptions {
  /** The gain, in dB, -120 to 60; -120 is silence. @default 0 */
  gainDb: number;
  /** The gain at the first sample, from which it goes to `gainDb`, in dB. @default gainDb */
  fromDb?: number;
  /** How long a change takes, in ms. @default 20 */
  rampMs: number;
}

const level = () => z.number().min(SILENCE_DB).max(60);
const duration = () => z.number().min(0).max(3_600_000);

const schema = z.strictObject({
  gainDb: level().default(0).describe("The gain, in dB; -120 is silence"),
  fromDb: level().optional().describe("The gain at the first sample, in dB; as gainDb if absent"),
  rampMs: duration().default(20).describe("How long a change takes, in ms"),
});

const change = z.strictObject({ gainDb: level(), rampMs: duration().optional() });

/** A straight line from one factor to another: a structured-clonable value. */
interface Ramp {
  from: number;
  to: number;
  /** How long it is, and how much of it is done, in seconds. */
  seconds: number;
  done: number;
}

/**
 * Makes audio louder or quieter: `y = x × 10^(gainDb / 20)`. Nothing is clipped; NaN stays NaN.
 *
 * A change is a ramp, straight in amplitude, as in the Web Audio API's `linearRampToValueAtTime`
 * (https://www.w3.org/TR/webaudio/#dom-audioparam-linearramptovalueattime), so that it does not click. The first is
 * from `fromDb`; others are asked for by a marker named `gain` with `data: { gainDb, rampMs? }`, from its
 * place in the stream on. Ramps are counted in samples heard: jumps in time do not shorten them.
 *
 * @example
 * ```ts
 * import { Marker, Pipeline } from "@remotemedia/sdk";
 * import { AudioGain } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const quieter = new Marker({ name: "gain", data: { gainDb: -20, rampMs: 10 } });
 * const pipeline = new Pipeline([new AudioGain({ gainDb: -6 })]);
 * const chunks = [...sine({ seconds: 0.1 }), quieter, ...sine({ seconds: 0.1 })];
 * for await (const chunk of pipeline.run(chunks)) console.log(chunk.timestamp);
 * ```
 */
export class AudioGain extends Node<AudioFrame, AudioFrame, AudioGainOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;

  #ramp: Ramp = rampOf(this.options);

  /** Gives the frame, louder or quieter. */
  override process(chunk: AudioFrame): AudioFrame {
    const frame = requireAudio(this, chunk);
    const ramp = this.#ramp;
    if (ramp.done >= ramp.seconds && ramp.to === 1) return frame;
    const data = new Float32Array(frame.data.length);
    const { numberOfFrames, sampleRate } = frame;
    const left = Math.ceil((ramp.seconds - ramp.done) * sampleRate);
    const ramped = Math.min(numberOfFrames, Math.max(0, left));
    const start = ramp.from + (ramp.to - ramp.from) * ramp.done / (ramp.seconds || 1);
    const step = (ramp.to - ramp.from) / (ramp.seconds * sampleRate || 1);
    for (let channel = 0; channel < data.length; channel += numberOfFrames || 1) {
      for (let index = 0; index < ramped; index++) {
        data[channel + index] = frame.data[channel + index]! * (start + step * index);
      }
      for (let index = ramped; index < numberOfFrames; index++) {
        data[channel + index] = frame.data[channel + index]! * ramp.to;
      }
    }
    ramp.done += ramped / sampleRate;
    return frame.with({ data });
  }

  /**
   * Changes the gain, if the marker's name is `gain`.
   *
   * @throws {TypeError} if its data is not `{ gainDb, rampMs? }` within the options' ranges
   */
  override onMarker({ name, data }: Marker): void {
    if (name !== "gain") return;
    const { success, data: wanted, error } = change.safeParse(data);
    if (!success) {
      const rule = "its data must be { gainDb, rampMs? } within the options' ranges";
      throw new TypeError(cannot("take marker gain", { rule, value: data }), { cause: error });
    }
    const { gainDb, rampMs = this.options.rampMs } = wanted;
    const { from, to, seconds, done } = this.#ramp;
    const now = done >= seconds ? to : from + (to - from) * done / seconds;
    this.#ramp = { from: now, to: factorOf(gainDb), seconds: rampMs / 1000, done: 0 };
  }

  /** The gain and what is left of a ramp. */
  override snapshot(): unknown {
    return { ...this.#ramp };
  }

  /** Goes on from a snapshot. */
  override restore(state: unknown): void {
    this.#ramp = { ...state as Ramp };
  }
}

/** The ramp at the start of a stream. */
function rampOf({ gainDb, fromDb, rampMs }: AudioGainOptions): Ramp {
  const seconds = fromDb === undefined ? 0 : rampMs / 1000;
  return { from: factorOf(fromDb ?? gainDb), to: factorOf(gainDb), seconds, done: 0 };
}

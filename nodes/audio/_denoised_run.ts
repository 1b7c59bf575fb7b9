import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { PlanarQueue } from "./_planar_queue.ts";
import { type ResamplerState, StreamingResampler } from "./_resampler.ts";
import { Denoiser, RNNOISE_FRAME, RNNOISE_RATE, type RnnoiseLibrary } from "./_rnnoise.ts";
import { type FrameState, frameState, type Run } from "./_run.ts";
import type { Speex } from "./_speex.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";

/** How much later than it came in a sample comes out of RNNoise 0.2: half a window, and a step of look-ahead. */
const DELAY = 2 * RNNOISE_FRAME;

/** A frame, and its samples without noise. */
export interface DenoisedFrame {
  frame: AudioFrame;
  data: Float32Array;
}

/** State of a {@linkcode DenoisedRun}, structured-clonable. */
export interface DenoisedRunState {
  sampleRate: number;
  channels: number;
  timeline: TimelineState;
  denoisers: Float32Array[];
  up: ResamplerState | null;
  down: ResamplerState | null;
  pending: Float32Array;
  done: Float32Array;
  waiting: FrameState[];
  skip: number;
  due: number;
}

/** Audio of one format without a jump in time, on its way through RNNoise: holds 46 ms and the longest frame. */
export class DenoisedRun implements Run, Disposable {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  readonly #denoisers: Denoiser[];
  /** To RNNoise's rate and back; none if it is that already. */
  readonly #up: StreamingResampler | undefined;
  readonly #down: StreamingResampler | undefined;
  /** At RNNoise's rate: less than a step. */
  readonly #pending: PlanarQueue;
  /** Without noise, not yet given: less than the first frame that waits. */
  readonly #done: PlanarQueue;
  #waiting: AudioFrame[] = [];
  /** Samples that RNNoise still gives of the time before the start. */
  #skip = DELAY;
  /** Samples at RNNoise's rate that went in and are not yet out. */
  #due = 0;

  constructor(
    { rnnoise, speex }: { rnnoise: RnnoiseLibrary; speex: Speex },
    { sampleRate, channels }: { sampleRate: number; channels: number },
  ) {
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.timeline = new Timeline(sampleRate);
    if (sampleRate !== RNNOISE_RATE) {
      const format = { numberOfChannels: channels };
      const [inputRate, outputRate] = [sampleRate, RNNOISE_RATE];
      this.#up = new StreamingResampler(speex, { inputRate, outputRate, ...format });
      this.#down = new StreamingResampler(speex, {
        inputRate: outputRate,
        outputRate: inputRate,
        ...format,
      });
    }
    this.#denoisers = Array.from({ length: channels }, () => new Denoiser(rnnoise));
    this.#pending = new PlanarQueue(channels);
    this.#done = new PlanarQueue(channels);
  }

  /** Takes a frame; gives those that are complete. */
  add(frame: AudioFrame): DenoisedFrame[] {
    this.timeline.add(frame.timestamp, frame.numberOfFrames);
    this.timeline.forget(this.timeline.position);
    this.#waiting.push(frame);
    this.#hear(this.#up?.process(frame.data) ?? frame.data);
    return this.#complete();
  }

  /** Gives all that is held. */
  finish(): DenoisedFrame[] {
    if (this.#up !== undefined) this.#hear(this.#up.flush());
    while (this.#due > 0) {
      const silence = new Float32Array(RNNOISE_FRAME * this.channels);
      this.#pending.push(silence);
      this.#denoise();
    }
    if (this.#down !== undefined) this.#done.push(this.#down.flush());
    const missing = this.#waiting.reduce((sum, frame) => sum + frame.numberOfFrames, 0) -
      this.#done.length;
    // there and back from a rate above 48 kHz, the last sample may be lost
    if (missing > 0) this.#done.push(new Float32Array(missing * this.channels));
    return this.#complete();
  }

  /** What it holds. */
  snapshot(): DenoisedRunState {
    return {
      sampleRate: this.sampleRate,
      channels: this.channels,
      timeline: this.timeline.snapshot(),
      denoisers: this.#denoisers.map((denoiser) => denoiser.snapshot()),
      up: this.#up?.snapshot() ?? null,
      down: this.#down?.snapshot() ?? null,
      pending: this.#pending.peek(),
      done: this.#done.peek(),
      waiting: this.#waiting.map(frameState),
      skip: this.#skip,
      due: this.#due,
    };
  }

  /** Goes on from a snapshot. */
  restore(state: DenoisedRunState): void {
    this.timeline.restore(state.timeline);
    for (const [index, denoiser] of this.#denoisers.entries()) {
      denoiser.restore(state.denoisers[index]!);
    }
    if (state.up !== null) this.#up!.restore(state.up);
    if (state.down !== null) this.#down!.restore(state.down);
    this.#pending.push(state.pending);
    this.#done.push(state.done);
    this.#waiting = state.waiting.map((frame) => new AudioFrame(frame));
    this.#skip = state.skip;
    this.#due = state.due;
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    for (const denoiser of this.#denoisers) denoiser[Symbol.dispose]();
    this.#up?.[Symbol.dispose]();
    this.#down?.[Symbol.dispose]();
  }

  #hear(data: Float32Array): void {
    this.#pending.push(data);
    this.#due += data.length / this.channels;
    this.#denoise();
  }

  /** Steps through what is pending, 10 ms at a time. */
  #denoise(): void {
    while (this.#pending.length >= RNNOISE_FRAME) {
      const block = this.#pending.take(RNNOISE_FRAME).slice(); // may be a frame's own samples
      for (const [channel, denoiser] of this.#denoisers.entries()) {
        denoiser.process(block.subarray(channel * RNNOISE_FRAME, (channel + 1) * RNNOISE_FRAME));
      }
      const skipped = Math.min(this.#skip, RNNOISE_FRAME);
      this.#skip -= skipped;
      const wanted = Math.min(this.#due, RNNOISE_FRAME - skipped);
      this.#due -= wanted;
      const data = part(block, skipped, skipped + wanted);
      this.#done.push(this.#down?.process(data) ?? data);
    }
  }

  /** The frames whose samples are all there. */
  #complete(): DenoisedFrame[] {
    const complete: DenoisedFrame[] = [];
    while (this.#waiting.length > 0 && this.#done.length >= this.#waiting[0]!.numberOfFrames) {
      const frame = this.#waiting.shift()!;
      complete.push({ frame, data: this.#done.take(frame.numberOfFrames) });
    }
    return complete;
  }
}

/** Some samples of each channel of a step. */
function part(block: Float32Array, from: number, to: number): Float32Array {
  if (to - from === RNNOISE_FRAME) return block;
  const channels = block.length / RNNOISE_FRAME;
  const data = new Float32Array((to - from) * channels);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * RNNOISE_FRAME;
    data.set(block.subarray(start + from, start + to), channel * (to - from));
  }
  return data;
}

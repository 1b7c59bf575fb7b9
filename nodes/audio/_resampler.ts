import { cannot } from "../../core/errors.ts";
import { MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import { loadSpeex, type Speex, type SpeexState } from "./_speex.ts";

/** What a {@linkcode StreamingResampler} converts. */
export interface ResamplerFormat {
  /** Samples a second that come in, in whole Hz. */
  inputRate: number;
  /** Samples a second that go out, in whole Hz; within a factor of 256 of `inputRate`. */
  outputRate: number;
  /** Channels, 1 to 32. @default 1 */
  numberOfChannels?: number;
  /**
   * SpeexDSP's quality, 0 to 10. At 10 the pass band ends at 94 % of the lower Nyquist frequency, at 6 at
   * 88 %; more costs time. @default 10
   */
  quality?: number;
}

/** Where a {@linkcode StreamingResampler} is in its stream: a structured-clonable value. */
export interface ResamplerState {
  /** Frames taken so far. */
  inputFrames: number;
  /** The last of them, as many as the filter is long, planar `[channels × frames]`. */
  history: Float32Array;
}

/**
 * Resamples a stream: band-limited (windowed sinc, SpeexDSP), with state across chunks, aligned in time.
 *
 * Output frame k is heard when input frame `k × inputRate / outputRate` is. The samples do not depend on how
 * the stream is cut into chunks, bit for bit: the phase is a whole-number fraction, so nothing drifts, and each
 * output is one sum over the same inputs. For the same reason a new instance goes on from
 * {@linkcode StreamingResampler.snapshot} bit for bit: the state is the count of inputs and the last
 * ones of them. Memory is bounded by the filter's length: about 256 frames of the lower rate.
 *
 * Not for the public; nodes that resample are built on it.
 */
export class StreamingResampler {
  /** How much later than its time an output comes, in frames of the input. */
  readonly latencyFrames: number;
  readonly #speex: Speex;
  readonly #format: Required<ResamplerFormat>;
  /** `inputRate` and `outputRate`, reduced. */
  readonly #period: { input: number; output: number };
  /** The last inputs, planar; as many frames as the filter is long. */
  readonly #history: Float32Array;
  #historyFrames = 0;
  #state: SpeexState | undefined;
  #inputFrames = 0;

  /** Loads what it needs and makes one. */
  static async create(format: ResamplerFormat): Promise<StreamingResampler> {
    return new StreamingResampler(await loadSpeex(), format);
  }

  /**
   * @param speex what {@linkcode loadSpeex} gave
   * @param format what to convert
   * @throws {RangeError} if a rate, their ratio, the channels or the quality is out of range
   */
  constructor(speex: Speex, format: ResamplerFormat) {
    this.#speex = speex;
    this.#format = checkFormat(format);
    const { inputRate, outputRate, numberOfChannels } = this.#format;
    const divisor = greatestCommonDivisor(inputRate, outputRate);
    this.#period = { input: inputRate / divisor, output: outputRate / divisor };
    this.#state = speex.create(this, this.#format);
    this.latencyFrames = speex.latency(this.#state);
    this.#history = new Float32Array(2 * this.latencyFrames * numberOfChannels);
  }

  /**
   * Takes the next chunk.
   *
   * @param data planar `[channels × frames]`, of any number of frames
   * @returns what can be told by now, planar; a new array, often shorter or longer than `data`
   */
  process(data: Float32Array): Float32Array {
    const { numberOfChannels } = this.#format;
    const frames = data.length / numberOfChannels;
    if (!Number.isInteger(frames)) {
      const rule = `data must hold as many samples for each of its ${numberOfChannels} channels`;
      throw new RangeError(cannot("resample", { rule, value: `${data.length} samples` }));
    }
    const output = this.#run(data, frames);
    this.#remember(data, frames);
    return output;
  }

  /**
   * Ends the stream: what is left, so that `round(inputFrames × outputRate / inputRate)` frames came out in
   * all. A new stream can start with the next `process()`.
   */
  flush(): Float32Array {
    const { numberOfChannels } = this.#format;
    const { input, output } = this.#period;
    const missing = Math.round(this.#inputFrames * output / input) - this.#outputFrames();
    // Enough silence for the filter to reach past the end, and past a half output's time.
    const frames = this.latencyFrames + Math.ceil(input / output);
    const tail = this.#run(new Float32Array(frames * numberOfChannels), frames);
    const tailFrames = tail.length / numberOfChannels;
    this.reset();
    if (missing === tailFrames) return tail;
    const rest = new Float32Array(missing * numberOfChannels);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const start = channel * tailFrames;
      rest.set(tail.subarray(start, start + missing), channel * missing);
    }
    return rest;
  }

  /** Forgets the stream so far: the next `process()` starts a new one. */
  reset(): void {
    this.#free();
    this.#state = this.#speex.create(this, this.#format);
    this.#inputFrames = 0;
    this.#historyFrames = 0;
  }

  /** Where it is in its stream, for {@linkcode StreamingResampler.restore} of one with the same format. */
  snapshot(): ResamplerState {
    const kept = this.#historyFrames;
    const size = this.#history.length / this.#format.numberOfChannels;
    const history = new Float32Array(kept * this.#format.numberOfChannels);
    for (let channel = 0; channel < this.#format.numberOfChannels; channel++) {
      const end = (channel + 1) * size;
      history.set(this.#history.subarray(end - kept, end), channel * kept);
    }
    return { inputFrames: this.#inputFrames, history };
  }

  /** Goes on from a snapshot: all further outputs are those of the original, bit for bit. */
  restore({ inputFrames, history }: ResamplerState): void {
    const frames = history.length / this.#format.numberOfChannels;
    this.reset();
    // The phase comes back every `period.input` frames: as much silence as makes it right, then the history.
    const silence = (inputFrames - frames) % this.#period.input;
    this.#run(new Float32Array(silence * this.#format.numberOfChannels), silence);
    this.#run(history, frames);
    this.#remember(history, frames);
    this.#inputFrames = inputFrames;
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#free();
  }

  /** Frames that came out after the inputs so far: those whose filter ends before the last input. */
  #outputFrames(): number {
    const { input, output } = this.#period;
    return Math.max(0, Math.ceil((this.#inputFrames - this.latencyFrames) * output / input));
  }

  #run(data: Float32Array, frames: number): Float32Array {
    if (this.#state === undefined) throw new Error("Cannot resample as the resampler is disposed");
    const { numberOfChannels, inputRate, outputRate } = this.#format;
    const before = this.#outputFrames();
    this.#inputFrames += frames;
    const made = this.#outputFrames() - before;
    const output = new Float32Array(made * numberOfChannels);
    const block = this.#speex.blockSize(outputRate / inputRate);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      let at = channel * made;
      const end = (channel + 1) * frames;
      for (let start = channel * frames; start < end; start += block) {
        const samples = data.subarray(start, Math.min(start + block, end));
        at += this.#speex.process(this.#state, channel, samples, output, at);
      }
      if (at !== (channel + 1) * made) {
        throw new Error(`Speex gave ${at - channel * made} frames where ${made} were due`);
      }
    }
    return output;
  }

  #remember(data: Float32Array, frames: number): void {
    const { numberOfChannels } = this.#format;
    const size = this.#history.length / numberOfChannels;
    const added = Math.min(frames, size);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const [start, end] = [channel * size, (channel + 1) * size];
      this.#history.copyWithin(start, start + added, end);
      const last = (channel + 1) * frames;
      this.#history.set(data.subarray(last - added, last), end - added);
    }
    this.#historyFrames = Math.min(size, this.#historyFrames + added);
  }

  #free(): void {
    if (this.#state !== undefined) this.#speex.destroy(this, this.#state);
    this.#state = undefined;
  }
}

function checkFormat(format: ResamplerFormat): Required<ResamplerFormat> {
  const { inputRate, outputRate, numberOfChannels = 1, quality = 10 } = format;
  const action = "create StreamingResampler";
  for (const [name, value] of Object.entries({ inputRate, outputRate })) {
    if (!Number.isInteger(value) || value < 1 || value > 768_000) {
      const rule = `${name} must be a whole number of Hz from 1 to 768000`;
      throw new RangeError(cannot(action, { rule, value }));
    }
  }
  if (Math.max(inputRate / outputRate, outputRate / inputRate) > 256) {
    const rule = "inputRate and outputRate must be within a factor of 256";
    throw new RangeError(cannot(action, { rule, value: `${inputRate} to ${outputRate} Hz` }));
  }
  checkRange(action, "numberOfChannels", numberOfChannels, 1, MAX_CHANNELS);
  checkRange(action, "quality", quality, 0, 10);
  return { inputRate, outputRate, numberOfChannels, quality };
}

function checkRange(action: string, name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    const rule = `${name} must be a whole number from ${min} to ${max}`;
    throw new RangeError(cannot(action, { rule, value }));
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { mix } from "../audio/_mix.ts";
import { type ResamplerState, StreamingResampler } from "../audio/_resampler.ts";
import type { Speex } from "../audio/_speex.ts";
import { MODEL_RATE } from "./_speech_model.ts";

/** Frames that are converted at once, so that a long frame takes no more memory than a short one. */
const PIECE = 8192;

/** Pass band to 7 kHz at 16 kHz: more than a detector needs, at a fifth of the best quality's time. */
const QUALITY = 5;

/** What a model hears of a run of frames: mono (the mean of all channels) at 16 kHz. */
export class SpeechInput {
  readonly #resampler: StreamingResampler | undefined;

  /** @param speex for rates other than 16 kHz; @param sampleRate of the run, in Hz */
  constructor(speex: Speex, sampleRate: number) {
    if (sampleRate === MODEL_RATE) return;
    const format = { inputRate: sampleRate, outputRate: MODEL_RATE, quality: QUALITY };
    this.#resampler = new StreamingResampler(speex, format);
  }

  /**
   * Gives what a frame makes known, piece by piece.
   *
   * @throws {RangeError} if a sample is NaN or infinite: a model would never recover from it
   */
  *pushPieces(frame: AudioFrame): Generator<Float32Array, void> {
    for (let start = 0; start < frame.numberOfFrames; start += PIECE) {
      yield this.push(frame, start, Math.min(start + PIECE, frame.numberOfFrames));
    }
  }

  /** Gives what a piece of a frame makes known. */
  push(frame: AudioFrame, start = 0, end: number = frame.numberOfFrames): Float32Array {
    const piece = pieceOf(frame, start, end);
    checkFinite(piece, frame, start);
    const mono = mix(piece, frame.numberOfChannels, 1);
    return this.#resampler?.process(mono) ?? mono;
  }

  /** Gives the rest. */
  flush(): Float32Array {
    return this.#resampler?.flush() ?? new Float32Array();
  }

  /** State of the resampler. */
  snapshot(): ResamplerState | null {
    return this.#resampler?.snapshot() ?? null;
  }

  /** Goes on from a snapshot. */
  restore(state: ResamplerState | null): void {
    if (state !== null) this.#resampler?.restore(state);
  }

  /** Frees the resampler. */
  [Symbol.dispose](): void {
    this.#resampler?.[Symbol.dispose]();
  }
}

/** Samples `start` to `end` of each channel, planar. */
export function pieceOf(frame: AudioFrame, start: number, end: number): Float32Array {
  const { data, numberOfChannels, numberOfFrames } = frame;
  if (start === 0 && end === numberOfFrames) return data;
  if (numberOfChannels === 1) return data.slice(start, end);
  const piece = new Float32Array((end - start) * numberOfChannels);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    const from = channel * numberOfFrames;
    piece.set(data.subarray(from + start, from + end), channel * (end - start));
  }
  return piece;
}

function checkFinite(piece: Float32Array, frame: AudioFrame, start: number): void {
  let zero = 0;
  // by index: an iterator takes ten times as long; the sum is NaN as soon as one sample is not finite
  for (let index = 0; index < piece.length; index++) zero += 0 * piece[index]!;
  if (zero === 0) return;
  const index = piece.findIndex((sample) => !Number.isFinite(sample));
  const at = start + index % (piece.length / frame.numberOfChannels);
  const seconds = (frame.timestamp / 1e6 + at / frame.sampleRate).toFixed(3);
  throw new RangeError(
    `Cannot detect speech as samples must be finite: current value is ${
      piece[index]
    } at ${seconds} s`,
  );
}

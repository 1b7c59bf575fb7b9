/** Samples of a window, at 16 kHz: 32 ms. */
export const WINDOW = 512;

/** What every model hears, in Hz. */
export const MODEL_RATE = 16_000;

/** Tells how likely a window is speech; may remember the windows before. */
export interface SpeechModel {
  /** The window: {@linkcode WINDOW} samples, mono at 16 kHz, to be filled before each run. */
  readonly window: Float32Array;
  /** The probability that the window is speech, 0 to 1. The window may be filled again once it is there. */
  run(): number | Promise<number>;
  /** What it remembers, structured-clonable. */
  snapshot(): Float32Array;
  /** Goes on from a snapshot. */
  restore(state: Float32Array): void;
}

import { type SpeechModel, WINDOW } from "./_speech_model.ts";

/** The levels that count as surely silent and surely speech, in dBFS. */
const SILENT_DB = -60;
const LOUD_DB = -20;

/**
 * Takes what is loud for speech: the "probability" rises with the window's level (RMS without its mean) from 0
 * at -60 dBFS to 1 at -20 dBFS, so 0.5 is -40 dBFS. The scale is fixed: nothing adapts, so speech (or a tone) of
 * any length stays speech, and so does loud noise.
 */
export class Loudness implements SpeechModel {
  readonly window: Float32Array = new Float32Array(WINDOW);

  /** Measures the window. */
  run(): number {
    let [sum, squares] = [0, 0];
    for (let index = 0; index < WINDOW; index++) {
      const sample = this.window[index]!;
      sum += sample;
      squares += sample * sample;
    }
    const power = squares / WINDOW - (sum / WINDOW) ** 2;
    const level = 10 * Math.log10(Math.max(power, 1e-12));
    return Math.min(1, Math.max(0, (level - SILENT_DB) / (LOUD_DB - SILENT_DB)));
  }

  /** The window as far as it is filled. */
  snapshot(): Float32Array {
    return this.window.slice();
  }

  /** Goes on from a snapshot. */
  restore(state: Float32Array): void {
    this.window.set(state);
  }
}

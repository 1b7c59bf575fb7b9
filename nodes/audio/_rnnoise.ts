import type { DenoiseState, Rnnoise } from "@shiguredo/rnnoise-wasm";

/** Samples of one step, at {@linkcode RNNOISE_RATE}: 10 ms. */
export const RNNOISE_FRAME = 480;

/** The one rate that RNNoise knows, in Hz. */
export const RNNOISE_RATE = 48_000;

/** What RNNoise takes for full scale. */
const FULL_SCALE = 32_768;

/** What is used of the Emscripten module behind the package's class. */
interface RnnoiseModule {
  readonly HEAPF32: Float32Array<ArrayBuffer>;
}

/** The package's own fields that a snapshot needs; its version is pinned, and {@linkcode Denoiser} checks them. */
interface StateFields {
  readonly rnnoiseModule?: RnnoiseModule;
  /** Where the C struct is, in bytes. */
  readonly state: number;
  /** What was allocated right after it. */
  readonly pcmInputBuf: number;
}

/** RNNoise, loaded: one heap for all of the process. */
export interface RnnoiseLibrary {
  readonly rnnoise: Rnnoise;
  /** How long the C struct is, in floats. */
  readonly stateLength: number;
}

let library: Promise<RnnoiseLibrary> | undefined;

/** RNNoise, loaded the first time that it is wanted. A failed load is not kept. */
export function loadRnnoise(): Promise<RnnoiseLibrary> {
  library ??= load().catch((cause) => {
    library = undefined;
    throw new Error("Cannot load RNNoise", { cause });
  });
  return library;
}

async function load(): Promise<RnnoiseLibrary> {
  const { Rnnoise } = await import("@shiguredo/rnnoise-wasm");
  const rnnoise = await asInWorker(() => Rnnoise.load());
  // On a fresh heap the first buffer is right behind the struct, but for the allocator's 8 bytes between.
  const first = rnnoise.createDenoiseState();
  const { state, pcmInputBuf } = first as unknown as StateFields;
  first.destroy();
  const bytes = pcmInputBuf - state - 8;
  if (!(bytes > 0 && bytes < 1 << 20 && bytes % 4 === 0)) {
    throw new Error(`Cannot tell the size of RNNoise's state: ${bytes} bytes`);
  }
  return { rnnoise, stateLength: bytes / 4 };
}

/**
 * The package's loader refuses to run where there is neither `window` nor `WorkerGlobalScope`, as in Deno's main
 * thread, though it needs nothing of either. It looks once, before it first waits; so long there is one.
 */
function asInWorker<T>(load: () => Promise<T>): Promise<T> {
  const scope = globalThis as { WorkerGlobalScope?: unknown };
  if (scope.WorkerGlobalScope !== undefined) return load();
  Object.defineProperty(scope, "WorkerGlobalScope", { value: Object, configurable: true });
  try {
    return load();
  } finally {
    delete scope.WorkerGlobalScope;
  }
}

/** One channel's RNNoise (J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement", 2018). */
export class Denoiser {
  readonly #state: DenoiseState;
  readonly #length: number;

  /** @param library what {@linkcode loadRnnoise} gave */
  constructor({ rnnoise, stateLength }: RnnoiseLibrary) {
    this.#state = rnnoise.createDenoiseState();
    this.#length = stateLength;
  }

  /** Takes {@linkcode RNNOISE_FRAME} samples, and puts in their place what comes out. */
  process(samples: Float32Array): void {
    for (let index = 0; index < samples.length; index++) samples[index]! *= FULL_SCALE;
    this.#state.processFrame(samples);
    for (let index = 0; index < samples.length; index++) samples[index]! /= FULL_SCALE;
  }

  /** The C struct. Its pointers are to the module's constants, which are in one place in every process. */
  snapshot(): Float32Array {
    return this.#struct().slice();
  }

  /** Goes on from a snapshot, bit for bit. */
  restore(state: Float32Array): void {
    this.#struct().set(state);
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#state.destroy();
  }

  #struct(): Float32Array {
    const { rnnoiseModule, state } = this.#state as unknown as StateFields;
    if (rnnoiseModule === undefined) {
      throw new Error("Cannot copy RNNoise's state as it is disposed");
    }
    return rnnoiseModule.HEAPF32.subarray(state / 4, state / 4 + this.#length);
  }
}

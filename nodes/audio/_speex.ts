import loadModule from "@echogarden/speex-resampler-wasm/simd";

/** What is used of the Emscripten module: SpeexDSP's resampler, and its heap. */
interface SpeexModule {
  readonly HEAPF32: Float32Array<ArrayBuffer>;
  readonly HEAPU32: Uint32Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _speex_resampler_init(
    channels: number,
    inputRate: number,
    outputRate: number,
    quality: number,
    error: number,
  ): number;
  _speex_resampler_skip_zeros(state: number): number;
  _speex_resampler_get_input_latency(state: number): number;
  _speex_resampler_process_float(
    state: number,
    channel: number,
    input: number,
    inputLength: number,
    output: number,
    outputLength: number,
  ): number;
  _speex_resampler_destroy(state: number): void;
}

/** Samples that one call takes and gives at the most; the heap's two scratch buffers have this size. */
const MOST_IN = 4096;
const MOST_OUT = 16_640;

/** A resampler inside the module. */
export type SpeexState = number;

/** What a {@linkcode SpeexState} is made for. */
export interface SpeexFormat {
  /** 1 to 32. */
  numberOfChannels: number;
  /** In whole Hz. */
  inputRate: number;
  /** In whole Hz. */
  outputRate: number;
  /** 0 (worst) to 10 (best). */
  quality: number;
}

/** SpeexDSP's resampler as WebAssembly: one heap for all resamplers of the process. */
export class Speex {
  readonly #module: SpeexModule;
  /** Scratch: two lengths, samples in, samples out. Safe to share as no call is ever interrupted. */
  readonly #lengths: number;
  readonly #input: number;
  readonly #output: number;
  readonly #dropped: FinalizationRegistry<SpeexState>;

  /** @param module the loaded module */
  constructor(module: SpeexModule) {
    this.#module = module;
    this.#lengths = module._malloc(8);
    this.#input = module._malloc(4 * MOST_IN);
    this.#output = module._malloc(4 * MOST_OUT);
    this.#dropped = new FinalizationRegistry((state) => module._speex_resampler_destroy(state));
  }

  /** Makes a resampler whose first output is at the time of the first input. */
  create(owner: object, format: SpeexFormat): SpeexState {
    const { numberOfChannels, inputRate, outputRate, quality } = format;
    const state = this.#module._speex_resampler_init(
      numberOfChannels,
      inputRate,
      outputRate,
      quality,
      this.#lengths,
    );
    const code = this.#module.HEAPU32[this.#lengths >> 2];
    if (state === 0 || code !== 0) throw new Error(`Speex cannot make a resampler: code ${code}`);
    this.#module._speex_resampler_skip_zeros(state);
    this.#dropped.register(owner, state, owner);
    return state;
  }

  /** Frees what {@linkcode Speex.create} took. Owners that are forgotten are freed after garbage collection. */
  destroy(owner: object, state: SpeexState): void {
    this.#dropped.unregister(owner);
    this.#module._speex_resampler_destroy(state);
  }

  /** Half of the filter's length, in samples of the input. */
  latency(state: SpeexState): number {
    return this.#module._speex_resampler_get_input_latency(state);
  }

  /** Samples that one {@linkcode Speex.process} may take, so that its outputs have room. */
  blockSize(ratio: number): number {
    return Math.max(1, Math.min(MOST_IN, Math.floor((MOST_OUT - 2) / ratio)));
  }

  /**
   * Takes the next samples of one channel, writes what comes out into `target` at `offset`.
   *
   * @returns how many samples came out
   */
  process(
    state: SpeexState,
    channel: number,
    samples: Float32Array,
    target: Float32Array,
    offset: number,
  ): number {
    const module = this.#module;
    const lengths = this.#lengths >> 2;
    module.HEAPF32.set(samples, this.#input >> 2);
    module.HEAPU32[lengths] = samples.length;
    module.HEAPU32[lengths + 1] = MOST_OUT;
    const code = module._speex_resampler_process_float(
      state,
      channel,
      this.#input,
      this.#lengths,
      this.#output,
      this.#lengths + 4,
    );
    if (code !== 0) throw new Error(`Speex cannot resample: code ${code}`);
    const count = module.HEAPU32[lengths + 1]!;
    const start = this.#output >> 2;
    target.set(module.HEAPF32.subarray(start, start + count), offset);
    return count;
  }

  /** Bytes of the heap that all resamplers of the process share. */
  get heapBytes(): number {
    return this.#module.HEAPF32.buffer.byteLength;
  }
}

let loading: Promise<Speex> | undefined;

/** The process's one {@linkcode Speex}, loaded when first asked for; a failed load is tried again. */
export function loadSpeex(): Promise<Speex> {
  loading ??= load().catch((cause) => {
    loading = undefined;
    throw new Error("Cannot load the resampler's WebAssembly module", { cause });
  });
  return loading;
}

async function load(): Promise<Speex> {
  const module = await (loadModule as unknown as () => Promise<SpeexModule>)();
  return new Speex(module);
}

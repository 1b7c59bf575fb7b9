import { cannot, messageOf } from "../../core/errors.ts";
import { type Lease, Shared } from "./_shared.ts";

/** The module of transformers.js: loaded when first used. */
export type Transformers = typeof import("@huggingface/transformers");

/** Which model, from where, and how it runs. */
export interface PipelineSource {
  /** The pipeline's task, in transformers.js' words. */
  task: string;
  /** The model's name. */
  model: string;
  /** The branch, tag or commit. */
  revision: string;
  /** The type of its weights: `fp32`, `fp16`, `q8`, `q4` … */
  dtype: string;
  /** Where it runs: `cpu`, `cuda`, `webgpu` … */
  device: string;
  /** Where models are on this machine, each in the folder of its name. */
  modelFolder?: string;
  /** Where models that are fetched are kept. */
  cacheFolder?: string;
  /** Whether nothing may be fetched. */
  offline: boolean;
}

/** The options of {@linkcode PipelineSource}, as nodes have them. */
export type PipelineOptions = Omit<PipelineSource, "task">;

/** A pipeline as it is called: what comes out depends on its task. */
type Callable = ((...args: unknown[]) => Promise<unknown>) & {
  dispose(): Promise<unknown>;
  processor?: { feature_extractor?: { config?: { sampling_rate?: number } } };
  model: { config: Record<string, unknown> };
};

/** A pipeline that is ready to run, for all who asked for it. */
export class LoadedPipeline {
  /** The module that it is of. */
  readonly transformers: Transformers;
  readonly #pipeline: Callable;
  readonly #running = new Set<Promise<unknown>>();

  /** @param pipeline of the module */
  constructor(transformers: Transformers, pipeline: Callable) {
    this.transformers = transformers;
    this.#pipeline = pipeline;
  }

  /** The model's configuration. */
  get config(): Record<string, unknown> {
    return this.#pipeline.model.config;
  }

  /** The rate of audio that it hears, in Hz, where it hears any. */
  get sampleRate(): number | undefined {
    return this.#pipeline.processor?.feature_extractor?.config?.sampling_rate;
  }

  /** Calls it; it is not freed before that is done. */
  async call(...args: unknown[]): Promise<unknown> {
    const run = this.#pipeline(...args);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  /** Frees its sessions once nothing runs on them. */
  async free(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#pipeline.dispose();
  }
}

const pipelines = new Shared<LoadedPipeline>((pipeline) => pipeline.free());

/** How many pipelines this process holds. */
export function heldPipelines(): number {
  return pipelines.size;
}

/**
 * The process's one pipeline of a model, freed when the last one who holds it lets go.
 *
 * @throws {Error} if exactly this model cannot be loaded: never another stands in
 */
export async function acquirePipeline(source: PipelineSource): Promise<Lease<LoadedPipeline>> {
  const { task, model, revision, dtype, device, modelFolder, cacheFolder, offline } = source;
  const key = [task, model, revision, dtype, device, modelFolder, cacheFolder, offline];
  try {
    return await pipelines.acquire(JSON.stringify(key), () => inTurn(() => load(source)));
  } catch (cause) {
    const message = `Cannot load model ${model} for ${task} as ${messageOf(cause)}`;
    throw new Error(message, { cause });
  }
}

let last: Promise<unknown> = Promise.resolve();

/** One load after another: where models are is a setting of the whole module. */
function inTurn<T>(load: () => Promise<T>): Promise<T> {
  const next = last.then(load);
  last = next.catch(() => {}); // told to whom it belongs
  return next;
}

async function load(source: PipelineSource): Promise<LoadedPipeline> {
  const { task, model, revision, dtype, device, modelFolder, cacheFolder, offline } = source;
  const transformers = await import("@huggingface/transformers");
  const { env } = transformers;
  const { localModelPath, allowRemoteModels, allowLocalModels, logLevel } = env;
  env.localModelPath = modelFolder ?? localModelPath;
  env.allowLocalModels = modelFolder !== undefined;
  env.allowRemoteModels = !offline;
  env.logLevel = transformers.LogLevel.ERROR; // what is wrong is thrown; the rest is for its console
  try {
    if (offline && modelFolder === undefined && cacheFolder === undefined) {
      const rule = "an offline model needs modelFolder or cacheFolder";
      throw new TypeError(cannot("load model", { rule, value: model }));
    }
    const pipeline = await transformers.pipeline(task as "text-classification", model, {
      revision,
      dtype: dtype as "fp32",
      device: device as "cpu",
      local_files_only: offline,
      ...(cacheFolder === undefined ? {} : { cache_dir: cacheFolder }),
    });
    const loaded = pipeline as unknown as Callable;
    if (loaded.model.config["model_type"] === "speecht5") {
      await loaded.dispose();
      const rule =
        "it must not need a second model: SpeechT5 would fetch a vocoder that nobody named";
      throw new TypeError(cannot("use model", { rule, value: model }));
    }
    return new LoadedPipeline(transformers, loaded);
  } finally {
    Object.assign(env, { localModelPath, allowRemoteModels, allowLocalModels, logLevel });
  }
}

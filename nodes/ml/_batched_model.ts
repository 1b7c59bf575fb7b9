import type { InferenceSession } from "onnxruntime-node";
import { cannot } from "../../core/errors.ts";
import { Batcher, type BatchRules } from "./_batcher.ts";
import { fromOrt, type ModelInput, type NamedTensors, toOrt } from "./_model_tensors.ts";
import type { LoadedModel } from "./_onnx_session.ts";
import { stack, unstack } from "./_tensor_stack.ts";

/** Inputs whose tensors are not put together, but the same for a whole batch. */
export type SharedInputs = readonly string[];

/** Runs a model for several streams together, along the leading dimension. */
export class BatchedModel {
  readonly #model: LoadedModel;
  readonly #inputs: readonly ModelInput[];
  readonly #shared: ReadonlySet<string>;
  readonly #batcher: Batcher<NamedTensors, NamedTensors>;

  /**
   * @param model to run; @param inputs of the model; @param options the rules, and which inputs are shared
   * @throws {RangeError} if the model takes a fixed number of rows
   */
  constructor(
    model: LoadedModel,
    inputs: readonly ModelInput[],
    { shared, ...rules }: BatchRules & { shared: SharedInputs },
  ) {
    this.#model = model;
    this.#inputs = inputs;
    this.#shared = new Set(shared);
    for (const { name, shape } of inputs) {
      if (this.#shared.has(name) || typeof shape[0] === "string") continue;
      const rule = `the leading dimension of input "${name}" must be free, or the input shared`;
      throw new RangeError(cannot("batch model", { rule, value: shape[0] }));
    }
    this.#batcher = new Batcher((jobs) => this.#runTogether(jobs), rules);
  }

  /** Runs one stream's tensors with those of others. */
  run(tensors: NamedTensors, signal: AbortSignal): Promise<NamedTensors> {
    return this.#batcher.submit(tensors, this.#keyOf(tensors), signal);
  }

  /** Tensors with the same key fit together: same shapes but for the rows, same shared values. */
  #keyOf(tensors: NamedTensors): string {
    let key = "";
    for (const { name } of this.#inputs) {
      const { dims, data } = tensors[name]!;
      key += this.#shared.has(name) ? `${dims}=${data};` : `${dims.slice(1)};`;
    }
    return key;
  }

  async #runTogether(jobs: NamedTensors[]): Promise<NamedTensors[]> {
    const batched = this.#inputs.find(({ name }) => !this.#shared.has(name));
    if (jobs.length === 1 || batched === undefined) {
      return await Promise.all(jobs.map((job) => runModel(this.#model, this.#inputs, job)));
    }
    const all: NamedTensors = {};
    for (const { name } of this.#inputs) {
      const tensors = jobs.map((job) => job[name]!);
      all[name] = this.#shared.has(name) ? tensors[0]! : stack(tensors, 0);
    }
    const rows = jobs.map((job) => job[batched.name]!.dims[0]!);
    const total = rows.reduce((sum, count) => sum + count, 0);
    const outputs = await runModel(this.#model, this.#inputs, all);
    const results: NamedTensors[] = jobs.map(() => ({}));
    for (const [name, tensor] of Object.entries(outputs)) {
      if (tensor.dims[0] !== total) {
        const rule = `output "${name}" must have as many rows as the input, ${total}`;
        throw new RangeError(cannot("batch model", { rule, value: `[${tensor.dims.join(", ")}]` }));
      }
      for (const [index, part] of unstack(tensor, 0, rows).entries()) results[index]![name] = part;
    }
    return results;
  }
}

/** Runs a model once. */
export async function runModel(
  model: LoadedModel,
  inputs: readonly ModelInput[],
  tensors: NamedTensors,
): Promise<NamedTensors> {
  const feeds: Record<string, InferenceSession.FeedsType[string]> = {};
  for (const { name, type } of inputs) feeds[name] = toOrt(model.ort, tensors[name]!, type);
  const outputs = await model.run(feeds);
  const results: NamedTensors = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    results[name] = fromOrt("model", name, tensor as never);
  }
  return results;
}

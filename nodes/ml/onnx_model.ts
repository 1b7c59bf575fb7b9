import { z } from "zod";
import { cannot, messageOf } from "../../core/errors.ts";
import { Tensor } from "../../core/frames/tensor.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { BatchedModel, runModel } from "./_batched_model.ts";
import { tensorOf } from "./_frame_tensor.ts";
import {
  blankInput,
  checkInput,
  inputsOf,
  type ModelInput,
  type NamedTensors,
} from "./_model_tensors.ts";
import { acquireModel, type LoadedModel } from "./_onnx_session.ts";
import { type Lease, Shared } from "./_shared.ts";

export type { NamedTensors };

const names = () => z.array(z.string().min(1)).min(1);

const schema = z.strictObject({
  model: z.union([z.string().min(1), z.unknown()])
    .refine((model) => typeof model === "string" || model instanceof Uint8Array, {
      error: "must be a path, a file: URL, or bytes",
    })
    .describe("The ONNX file: a path, a file: URL, or its bytes").meta({
      examples: ["model.onnx"],
    }),
  input: z.string().min(1).optional()
    .describe("The input that a frame or tensor goes to; not needed where the model has one"),
  outputs: names().optional().describe("The outputs to give; all where absent"),
  executionProviders: z.array(z.string().min(1)).min(1).default(["cpu"]).describe(
    "Where it runs, the most wanted first: cpu, cuda, webgpu, coreml …; the CPU stands in for what cannot be had",
  ),
  threads: z.int().min(0).max(256).default(1)
    .describe("Threads that one run uses; 0 is onnxruntime's choice"),
  maxBatch: z.int().min(1).max(1024).default(1).describe(
    "The most runs of different streams that are put together along the leading dimension",
  ),
  maxWaitMs: z.number().min(0).max(60_000).default(0)
    .describe("How long a run waits for others while the model is idle, in ms"),
  sharedInputs: z.array(z.string().min(1)).default([]).describe(
    "Inputs that are not put together in a batch: only runs with the same values of them share one",
  ),
  warmUp: z.union([z.boolean(), z.record(z.string(), z.array(z.int().min(0)))]).default(true)
    .describe(
      "Whether it runs once on zeros before the first chunk, or the shapes for that; true takes 1 for each size that is free",
    ),
});

/** Options of {@linkcode OnnxModel}. */
export interface OnnxModelOptions {
  /** The ONNX file: a path, a `file:` URL, or its bytes. */
  model: string | Uint8Array;
  /** The input that a frame or tensor goes to. @default the model's only one */
  input?: string;
  /** The outputs to give. @default all */
  outputs?: string[];
  /** Where it runs, the most wanted first; the CPU stands in for what cannot be had. @default ["cpu"] */
  executionProviders: string[];
  /** Threads that one run uses; 0 is onnxruntime's choice. @default 1 */
  threads: number;
  /** The most runs of different streams that are put together along the leading dimension. @default 1 */
  maxBatch: number;
  /** How long a run waits for others while the model is idle, in ms. @default 0 */
  maxWaitMs: number;
  /** Inputs that are not put together: only runs with the same values of them share a batch. @default [] */
  sharedInputs: string[];
  /** Whether it runs once on zeros before the first chunk, or the shapes for that, by input. @default true */
  warmUp: boolean | Record<string, number[]>;
}

/** {@linkcode OnnxModelOptions} as one writes them: only the model is needed. */
export type OnnxModelInput = Partial<OnnxModelOptions> & Pick<OnnxModelOptions, "model">;

/**
 * Runs any ONNX model. A chunk is a {@linkcode Tensor}, an audio frame (float32 `[channels, frames]`), a picture
 * (uint8 `[height, width, 4]`), or an object of such by the names of the model's inputs. It gives a tensor where
 * there is one output, otherwise an object of tensors by name, with the time and metadata of what came in.
 * Sizes that the model leaves free may change from chunk to chunk. For float16 a chunk has float32, for bool
 * uint8.
 *
 * All nodes of a process with the same file (or bytes) and the same place to run share one session, loaded and
 * warm before the first chunk and freed with the last of them. `maxBatch` above 1 puts the runs of different
 * streams together along the leading dimension, where their other dimensions agree: while the model runs, the
 * next batch gathers. Results come back in order; a run that fails is repeated one stream at a time, so that
 * only those fail that are at fault; a stream that is cancelled leaves. What waits is at most one chunk of each
 * stream times its `concurrency`. A provider that cannot be had is a warning in the log, and the CPU runs it.
 *
 * The numbers are not looked at: what NaN does is up to the model. Throws a `TypeError` on a chunk of another
 * kind, type or number of dimensions, and on names that the model does not have, a `RangeError` on a size that
 * it does not take, and an `Error` with onnxruntime's words where the model fails. It reads the file it is given:
 * a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { Tensor } from "@remotemedia/sdk";
 * import { OnnxModel } from "@remotemedia/sdk/nodes";
 *
 * // y = 2 x + 1, for float32 [n, k]
 * const model = Uint8Array.fromBase64(
 *   "CAgSB21ha2UucHk6ggEKFQoBeAoDdHdvEgZkb3VibGUiA011bAoVCgZkb3VibGUKA29uZRIBeSIDQWRkEgZh" +
 *     "ZmZpbmUqDRABIgQAAABAQgN0d28qDRABIgQAAIA/QgNvbmVaFQoBeBIQCg4IARIKCgMSAW4KAxIBa2IVCgF5" +
 *     "EhAKDggBEgoKAxIBbgoDEgFrQgQKABAR",
 * );
 * const rows = [new Tensor({ data: new Float32Array([1, 2, 3]), dims: [1, 3] })];
 * const [y] = await Array.fromAsync(ReadableStream.from(rows).pipeThrough(new OnnxModel({ model })));
 * console.log(y); // Tensor { data: Float32Array [3, 5, 7], dims: [1, 3] … }
 * ```
 */
export class OnnxModel
  extends Node<unknown, Tensor | NamedTensors, OnnxModelOptions, OnnxModelInput> {
  /** The name of the type. */
  static override readonly type = "OnnxModel";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** It reads the model's file: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["read"];
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  #lease: Lease<LoadedModel> | undefined;
  #batched: Lease<BatchedModel> | undefined;
  #inputs: ModelInput[] = [];
  #signal: AbortSignal | undefined;

  /** Loads the model and warms it, unless others did. */
  override async open({ log, signal }: NodeContext): Promise<void> {
    const { model, executionProviders, threads, maxBatch, maxWaitMs, sharedInputs } = this.options;
    const warm = (loaded: LoadedModel) => this.#warm(loaded, log);
    const lease = await acquireModel(model, { executionProviders, threads }, { warm, log });
    this.#lease = lease;
    this.#signal = signal;
    const loaded = lease.value;
    this.#inputs = inputsOf(loaded.session);
    this.#checkNames(loaded);
    if (maxBatch === 1) return;
    const rules = { maxBatch, maxWaitMs, shared: sharedInputs };
    const create = () => Promise.resolve(new BatchedModel(loaded, this.#inputs, rules));
    this.#batched = await batchersOf(loaded).acquire(JSON.stringify(rules), create);
  }

  /** Runs the model. */
  async process(chunk: unknown): Promise<Tensor | NamedTensors> {
    const { feeds, timestamp, metadata } = this.#feedsOf(chunk);
    const outputs = this.#batched === undefined
      ? await runModel(this.#lease!.value, this.#inputs, feeds)
      : await this.#batched.value.run(feeds, this.#signal!);
    const wanted = this.options.outputs ?? Object.keys(outputs);
    const given = wanted.map((name): [string, Tensor] => {
      const { data, dims } = outputs[name]!;
      return [name, new Tensor({ data, dims, timestamp, metadata })];
    });
    return given.length === 1 ? given[0]![1] : Object.fromEntries(given);
  }

  /** Lets go of the model. */
  override async close(): Promise<void> {
    await this.#batched?.release();
    await this.#lease?.release();
  }

  /** A tensor for each input, checked. */
  #feedsOf(chunk: unknown): { feeds: NamedTensors } & Pick<Tensor, "timestamp" | "metadata"> {
    const feeds: NamedTensors = {};
    if (isByName(chunk)) {
      for (const [name, value] of Object.entries(chunk)) feeds[name] = tensorOf(this.type, value);
    } else {
      const tensor = tensorOf(this.type, chunk);
      feeds[this.options.input ?? this.#onlyInput()] = tensor;
    }
    const known = this.#inputs.map(({ name }) => name);
    const missing = known.find((name) => !Object.hasOwn(feeds, name));
    const unknown = Object.keys(feeds).find((name) => !known.includes(name));
    if (missing !== undefined || unknown !== undefined) {
      const rule = `a chunk must have the inputs ${known.join(", ")}`;
      const value = Object.keys(feeds).join(", ");
      throw new TypeError(cannot(`run ${this.type}`, { rule, value }));
    }
    for (const input of this.#inputs) checkInput(this.type, feeds[input.name]!, input);
    const { timestamp, metadata } = feeds[known[0]!]!;
    return { feeds, timestamp, metadata };
  }

  #onlyInput(): string {
    const [first, ...others] = this.#inputs;
    if (others.length === 0) return first!.name;
    const names = this.#inputs.map(({ name }) => name).join(", ");
    throw new TypeError(
      `${this.type} takes an object with the inputs ${names}, or the option input: it was given one tensor`,
    );
  }

  #checkNames({ session }: LoadedModel): void {
    const { input, outputs = [], sharedInputs, warmUp } = this.options;
    const warmed = typeof warmUp === "object" ? Object.keys(warmUp) : [];
    const asked = [...input === undefined ? [] : [input], ...sharedInputs, ...warmed];
    for (
      const [wanted, there, kind] of [
        [asked, session.inputNames, "input"],
        [outputs, session.outputNames, "output"],
      ] as const
    ) {
      const unknown = wanted.find((name) => !there.includes(name));
      if (unknown === undefined) continue;
      const rule = `the model has the ${kind}s ${there.join(", ")}`;
      throw new TypeError(cannot(`use ${kind} of ${this.type}`, { rule, value: unknown }));
    }
  }

  /** One run on zeros: not every model can do with those, so only shapes that were asked for have to work. */
  async #warm(loaded: LoadedModel, log: NodeContext["log"]): Promise<void> {
    const { warmUp } = this.options;
    if (warmUp === false) return;
    const shapes = warmUp === true ? {} : warmUp;
    const inputs = inputsOf(loaded.session);
    try {
      const feeds: NamedTensors = {};
      for (const input of inputs) {
        const blank = blankInput(input, shapes[input.name]);
        if (blank === undefined) return;
        feeds[input.name] = blank;
      }
      await runModel(loaded, inputs, feeds);
    } catch (error) {
      if (warmUp !== true) throw error;
      log.debug("The model does not run on zeros of size 1, so it is not warm: {reason}", {
        reason: messageOf(error),
      });
    }
  }
}

/** What runs the batches of each model, by their rules. */
const batchers = new WeakMap<LoadedModel, Shared<BatchedModel>>();

function batchersOf(model: LoadedModel): Shared<BatchedModel> {
  let shared = batchers.get(model);
  if (shared === undefined) batchers.set(model, shared = new Shared());
  return shared;
}

function isByName(chunk: unknown): chunk is Record<string, unknown> {
  return typeof chunk === "object" && chunk !== null && !Array.isArray(chunk) && !("kind" in chunk);
}

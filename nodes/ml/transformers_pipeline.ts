import { z } from "zod";
import { noMetadata } from "../../core/frames/_frame.ts";
import { Node } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { pipelineOptions } from "./_pipeline_options.ts";
import { fromPipeline, type Origin, toPipeline } from "./_pipeline_values.ts";
import type { Lease } from "./_shared.ts";
import {
  acquirePipeline,
  type LoadedPipeline,
  type PipelineOptions,
  type PipelineSource,
} from "./_transformers.ts";

export type { PipelineOptions, PipelineSource };

const schema = z.strictObject({
  task: z.string().min(1)
    .describe("What it does, in transformers.js' words: text-classification, feature-extraction …")
    .meta({ examples: ["text-classification"] }),
  ...pipelineOptions,
  parameters: z.record(z.string(), z.unknown()).default({})
    .describe("Options of each call, as the task has them, such as pooling or top_k"),
});

/** Options of {@linkcode TransformersPipeline}. */
export interface TransformersPipelineOptions extends PipelineSource {
  /** Options of each call, as the task has them, such as `pooling` or `top_k`. @default {} */
  parameters: Record<string, unknown>;
}

/** {@linkcode TransformersPipelineOptions} as one writes them. */
export type TransformersPipelineInput =
  & Partial<TransformersPipelineOptions>
  & Pick<TransformersPipelineOptions, "task" | "model">;

/**
 * Runs a pipeline of transformers.js (`@huggingface/transformers`): text, audio or picture in, what the task gives
 * out. A chunk is what the pipeline takes: a text, an array as its arguments in order (question and context, text
 * and labels …), an audio frame of the model's rate (heard in mono) or an RGBA picture. What comes out is as
 * transformers.js has it, with {@linkcode Tensor}, {@linkcode AudioFrame} and {@linkcode VideoFrame} for its own
 * classes, with the time and metadata of the frame that came in.
 *
 * Exactly the model that is named is loaded, with the weights that `dtype` names, from `modelFolder` if it is there,
 * else from the hub, unless `offline`; otherwise the stream fails. Its module is loaded when the first such node
 * opens. All nodes of a process with the same model share it; it is freed with the last of them. An interrupt drops
 * what a run under way gives. Throws a `TypeError` on a chunk that no pipeline takes, a `RangeError` on audio of
 * another rate. It reads and writes files and reaches the hub: a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { TransformersPipeline } from "@remotemedia/sdk/nodes";
 *
 * // a model whose weights are set by hand: "good" is praise, "bad" is blame
 * const modelFolder = new URL("../../tests/testdata/models", import.meta.url).pathname;
 * const judge = new TransformersPipeline({
 *   task: "text-classification",
 *   model: "tiny/reviews",
 *   modelFolder,
 *   offline: true,
 * });
 * const reviews = ReadableStream.from(["The film is good", "The film is bad"]);
 * for await (const [{ label }] of reviews.pipeThrough(judge) as ReadableStream) console.log(label);
 * // POSITIVE, NEGATIVE
 * ```
 */
export class TransformersPipeline
  extends Node<unknown, unknown, TransformersPipelineOptions, TransformersPipelineInput> {
  /** The name of the type. */
  static override readonly type = "TransformersPipeline";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** It reads models, fetches and keeps them: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["read", "write", "net"];
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  #lease: Lease<LoadedPipeline> | undefined;

  /** Loads the model, unless others did. */
  override async open(): Promise<void> {
    this.#lease = await acquirePipeline(this.options);
  }

  /** Runs the pipeline. */
  async process(chunk: unknown): Promise<unknown> {
    if (chunk === undefined || chunk === null || typeof chunk === "number") {
      throw wrongInput(this.type, "a text, a frame, or an array of arguments", chunk);
    }
    const pipeline = this.#lease!.value;
    const { parameters } = this.options;
    const args = Array.isArray(chunk)
      ? chunk.map((each) => toPipeline(pipeline, each))
      : [toPipeline(pipeline, chunk)];
    const output = await pipeline.call(...args, parameters);
    return fromPipeline(pipeline, output, originOf(chunk));
  }

  /** Lets go of the model. */
  override async close(): Promise<void> {
    await this.#lease?.release();
  }
}

function originOf(chunk: unknown): Origin {
  const { timestamp = 0, metadata = noMetadata } = chunk as Partial<Origin>;
  return { timestamp, metadata };
}

import { z } from "zod";
import type { PipelineOptions } from "./_transformers.ts";

/** The options with which a node names its model, for its schema. */
export const pipelineOptions: { [K in keyof PipelineOptions]: z.ZodType<PipelineOptions[K]> } = {
  model: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/, "must be a name such as owner/name")
    .refine((name) => !name.split("/").includes(".."), { error: "must not lead out of its folder" })
    .describe("The model's name, owner/name: exactly this one is loaded, or the node fails")
    .meta({ examples: ["owner/name"] }),
  revision: z.string().min(1).default("main").describe("The branch, tag or commit of the model"),
  // transformers.js takes the weights as they are for a word that it does not know
  dtype: z.enum(["fp32", "fp16", "q8", "int8", "uint8", "q4", "q4f16", "bnb4"]).default("fp32")
    .describe("The type of the weights: the model must have them"),
  device: z.string().min(1).default("cpu").describe("Where it runs: cpu, cuda, webgpu and others"),
  modelFolder: z.string().min(1).optional()
    .describe("A folder on this machine with models, each in a folder of its name; tried first"),
  cacheFolder: z.string().min(1).optional().describe("Where models that are fetched are kept"),
  offline: z.boolean().default(false).describe("Whether nothing may be fetched from the hub"),
};

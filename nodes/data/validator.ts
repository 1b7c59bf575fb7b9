import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { Node, type NodeContext } from "../../core/node.ts";

const schema = z.strictObject({
  schema: z.union([z.record(z.string(), z.unknown()), z.boolean()])
    .superRefine((value, context) => {
      const fault = schemaFault(value);
      if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
    })
    .describe("What chunks must be, as JSON Schema of draft 2020-12"),
  invalid: z.enum(["fail", "drop", "report"]).default("fail")
    .describe(
      "Whether a chunk that is not valid fails the stream, is dropped and logged, or told of",
    ),
});

/** A JSON Schema of draft 2020-12. */
export type JsonSchema = boolean | Record<string, unknown>;

/** Options of {@linkcode Validator}. */
export interface ValidatorOptions {
  /** What chunks must be, as JSON Schema of draft 2020-12. */
  schema: JsonSchema;
  /** Whether a chunk that is not valid fails the stream, is dropped and logged, or told of. @default "fail" */
  invalid: "fail" | "drop" | "report";
}

/** What {@linkcode Validator} gives for each chunk with `invalid: "report"`. */
export interface ValidationReport {
  /** The chunk. */
  value: unknown;
  /** Whether it is valid. */
  valid: boolean;
  /** What is wrong, one sentence each; at most 20. */
  errors: string[];
}

/**
 * Checks each chunk against a JSON Schema (draft 2020-12, with `format`). Valid ones pass as they are. The
 * schema is checked when the node is made: unknown keywords are refused. Throws a `TypeError` that names
 * each place and rule where a chunk breaks it; with `invalid: "drop"` that goes to the log, with `"report"`
 * every chunk becomes a {@linkcode ValidationReport}.
 *
 * @example
 * ```ts
 * import { Validator } from "@remotemedia/sdk/nodes";
 *
 * const node = new Validator({
 *   schema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
 *   invalid: "drop",
 * });
 * const valid = ReadableStream.from([{ id: 1 }, { id: "one" }, {}]).pipeThrough(node);
 * console.log(await Array.fromAsync(valid)); // [{ id: 1 }]
 * ```
 */
export class Validator extends Node<
  unknown,
  unknown,
  ValidatorOptions,
  Partial<ValidatorOptions> & Pick<ValidatorOptions, "schema">
> {
  /** The name of the type. */
  static override readonly type = "Validator";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<ValidatorOptions> = schema;
  readonly #validate = compile(this.options.schema);
  #context: NodeContext | undefined;

  /** Keeps the log. */
  override open(context: NodeContext): void {
    this.#context = context;
  }

  /** Gives the chunk if it is valid, or a report. */
  process(input: unknown): unknown {
    const { invalid } = this.options;
    const valid = this.#validate(input);
    if (invalid === "report") {
      const errors = valid ? [] : sentences(this.#validate.errors);
      return { value: input, valid, errors } satisfies ValidationReport;
    }
    if (valid) return input;
    const message = `The chunk is not valid: ${sentences(this.#validate.errors).join("; ")}`;
    if (invalid === "fail") throw new TypeError(message);
    this.#context?.log.warn("Dropped a chunk. {message}", { message });
    return undefined;
  }
}

function compile(definition: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    strictSchema: true, // unknown keywords and formats are mistakes; the rest of strict mode is taste
    strictNumbers: true,
    logger: false,
  });
  addFormats.default(ajv);
  return ajv.compile(definition);
}

function schemaFault(definition: JsonSchema): string | undefined {
  try {
    compile(definition);
    return undefined;
  } catch (error) {
    return `schema cannot be compiled: ${messageOf(error)}`;
  }
}

function sentences(errors: readonly ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).slice(0, 20).map(({ instancePath, message, params }) => {
    const names = params as { additionalProperty?: string; allowedValues?: unknown[] };
    const name = names.additionalProperty === undefined ? "" : ` ("${names.additionalProperty}")`;
    const values = names.allowedValues === undefined ? "" : ` (${names.allowedValues.join(", ")})`;
    return `${instancePath === "" ? "it" : instancePath} ${message}${name}${values}`;
  });
}

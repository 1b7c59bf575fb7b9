import jsonata from "jsonata";
import { z } from "zod";
import { Node } from "../../core/node.ts";

const schema = z.strictObject({
  expression: z.string().min(1).superRefine((text, context) => {
    const fault = syntaxFault(text);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  }).describe("What each chunk becomes, in JSONata; the chunk is $").meta({ examples: ["$"] }),
  bindings: z.record(z.string(), z.unknown()).default({})
    .describe("Values by name; the expression reads them as $name"),
  timeoutMs: z.int().min(1).max(600_000).default(1000)
    .describe("How long one evaluation may take, in ms"),
  maxDepth: z.int().min(1).max(10_000).default(500)
    .describe("How deep functions of the expression may call each other"),
});

/** Options of {@linkcode DataTransform}. */
export interface DataTransformOptions {
  /** What each chunk becomes, in JSONata; the chunk is `$`. */
  expression: string;
  /** Values by name; the expression reads them as `$name`. @default {} */
  bindings: Record<string, unknown>;
  /** How long one evaluation may take, in ms. @default 1000 */
  timeoutMs: number;
  /** How deep functions of the expression may call each other. @default 500 */
  maxDepth: number;
}

/**
 * Reshapes each chunk by an expression in JSONata (docs.jsonata.org). What has no result is dropped, so an
 * expression can filter too: `$[score > 0.5]`. Of a frame it sees the fields,
 * not what is computed of them, such as `duration`. Throws an `Error` that says what in the expression failed.
 *
 * Evaluations are bounded in time and depth, but not inside one function of JSONata's own: a regular expression, or a
 * text that `$pad` makes, has no limit, so a server should not take expressions from just anybody.
 *
 * @example
 * ```ts
 * import { DataTransform } from "@remotemedia/sdk/nodes";
 *
 * const node = new DataTransform({ expression: `{ "total": $sum(items.(price * count)) }` });
 * const orders = [{ items: [{ price: 2, count: 3 }, { price: 1, count: 4 }] }];
 * console.log(await Array.fromAsync(ReadableStream.from(orders).pipeThrough(node))); // [{ total: 10 }]
 * ```
 */
export class DataTransform extends Node<
  unknown,
  unknown,
  DataTransformOptions,
  Partial<DataTransformOptions> & Pick<DataTransformOptions, "expression">
> {
  /** The name of the type. */
  static override readonly type = "DataTransform";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<DataTransformOptions> = schema;
  readonly #expression = jsonata(this.options.expression, {
    timeout: this.options.timeoutMs,
    stack: this.options.maxDepth,
  });

  /** Gives what the expression makes of the chunk; nothing where it has no result. */
  async process(input: unknown): Promise<unknown> {
    let result: unknown;
    try {
      result = await this.#expression.evaluate(input, this.options.bindings);
    } catch (cause) {
      throw new Error(`Cannot evaluate the expression: ${reasonOf(cause)}`, { cause });
    }
    // a sequence is an array that carries JSONata's own marks
    return Array.isArray(result) ? [...result] : result;
  }
}

function syntaxFault(expression: string): string | undefined {
  try {
    jsonata(expression);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** What JSONata throws are plain objects; it knows the place in the expression. */
function reasonOf(thrown: unknown): string {
  const { message, position } = thrown as Partial<jsonata.JsonataError>;
  const reason = message ?? String(thrown);
  return position === undefined ? reason : `${reason} (at character ${position})`;
}

import { cannot } from "./errors.ts";

/** What is wrong with an option. */
export interface OptionsIssue {
  /** What kind of rule it breaks, in Zod's words. */
  readonly code?: string;
  /** Where it is. */
  readonly path: readonly PropertyKey[];
  /** The rule. */
  readonly message: string;
  /** Options that there are not, where that is what is wrong. */
  readonly keys?: readonly string[];
}

/** What a schema makes of options. */
export type OptionsResult =
  | { readonly success: true; readonly data: unknown }
  | {
    readonly success: false;
    readonly error: Error & { readonly issues: readonly OptionsIssue[] };
  };

/** A schema of options: any Zod schema is one. */
export interface OptionsSchema {
  /** Checks options and fills in defaults. */
  safeParse(options: unknown): OptionsResult;
}

/**
 * Options, checked and completed by a schema; without a schema, a frozen copy.
 *
 * @param owner whose options they are, for the error
 * @throws {RangeError} if a number or length is out of its range
 * @throws {TypeError} if an option is of the wrong type, not one of those allowed, missing or unknown
 */
export function parseOptions(
  owner: string,
  schema: OptionsSchema | undefined,
  options: unknown,
): object {
  const action = `create ${owner}`;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(cannot(action, { rule: "options must be an object", value: options }));
  }
  if (schema === undefined) return Object.freeze({ ...options });
  const result = schema.safeParse(options);
  if (result.success) return Object.freeze(result.data as object);
  throw optionError(action, result.error, options);
}

function optionError(
  action: string,
  error: Error & { readonly issues: readonly OptionsIssue[] },
  options: object,
): Error {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const keys = (issue.keys ?? []).map((key) => `"${[...issue.path, key].join(".")}"`).join(", ");
    return new TypeError(`Cannot ${action} as it has no option ${keys}`, { cause: error });
  }
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    options,
  );
  const where = issue.path.length === 0 ? "options" : `option "${issue.path.join(".")}"`;
  const rule = `${where} breaks its rule (${issue.message})`;
  const Fault = issue.code === "too_small" || issue.code === "too_big" ? RangeError : TypeError;
  return new Fault(cannot(action, { rule, value }), { cause: error });
}

import { cannot } from "../errors.ts";
import type { OptionsIssue } from "../options.ts";
import { nearest } from "../registry.ts";
import { describeSchema, fieldNames, type JsonSchemaObject, schemaAt } from "./json_schema.ts";
import type { ManifestIssue } from "./manifest_error.ts";
import type { Path, SourceText } from "./source_text.ts";

/** What a value is part of, and how to word what is wrong with it. */
export interface Owner {
  /** Where it is in the manifest. */
  at: Path;
  /** What is done, for example `read manifest` or `create vad`. */
  action: string;
  /** What to call a field of it: `option`. */
  field?: string;
  /** The value. */
  value: unknown;
  /** Its schema. */
  schema: JsonSchemaObject;
}

/** Words what a schema found wrong, as sentences with positions. */
export function faultsOf(
  source: SourceText,
  owner: Owner,
  issues: readonly OptionsIssue[],
): ManifestIssue[] {
  return issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? (issue.keys ?? []).map((key) => unknownKey(source, owner, [...issue.path, key]))
      : [broken(source, owner, issue)]
  );
}

/** A hint at the names that there are. */
export function hintAt(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
}

function unknownKey(source: SourceText, owner: Owner, path: Path): ManifestIssue {
  const { at, action, field = "field", schema } = owner;
  const key = String(path.at(-1));
  const names = fieldNames(schemaAt(schema, path.slice(0, -1)));
  const where = path.length === 1 ? "" : ` in ${pathText(path.slice(0, -1))}`;
  const hint = key === "<<" ? "YAML 1.2 merges nothing, write the fields out" : hintAt(key, names);
  const message = `Cannot ${action} as there is no ${field} ${key}${where}: ${hint}`;
  return source.issue(message, [...at, ...path], { atKey: true });
}

function broken(source: SourceText, owner: Owner, issue: OptionsIssue): ManifestIssue {
  const { at, action, field, schema } = owner;
  const path = issue.path;
  const value = path.reduce<unknown>((inside, key) => fieldOf(inside, key), owner.value);
  const text = pathText(path);
  const name = path.length === 0
    ? (field === undefined ? "it" : `${field}s`)
    : field === undefined
    ? text
    : `${field} ${text}`;
  const allowed = schemaAt(schema, path);
  if (value === undefined) {
    const is = allowed === undefined ? "" : `: ${describeSchema(allowed)}`;
    return source.issue(`Cannot ${action} as ${name} is missing${is}`, [...at, ...path]);
  }
  const isOwnRule = issue.code === "custom" || issue.code === "invalid_format" ||
    allowed === undefined;
  const rule = isOwnRule
    ? `${name} breaks its rule (${issue.message})`
    : `${name} must be ${describeSchema(allowed)}`;
  const near = typeof value === "string" && allowed?.enum !== undefined
    ? nearest(value, allowed.enum.map(String))
    : undefined;
  const hint = near === undefined ? "" : `: did you mean ${near}?`;
  return source.issue(cannot(action, { rule, value }) + hint, [...at, ...path]);
}

function fieldOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

/** A path as one reads it: `nodes[2].queue.size`. */
function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === "number"
        ? `${text}[${step}]`
        : text === ""
        ? `${String(step)}`
        : `${text}.${String(step)}`,
    "",
  );
}

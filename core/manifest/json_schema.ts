import { z } from "zod";
import type { NodeClass } from "../node.ts";
import type { OptionsSchema } from "../options.ts";
import type { NodeRegistry } from "../registry.ts";
import { graphSchema, manifestSchema } from "./manifest.ts";

/** A JSON Schema, as far as this library looks into it. */
export interface JsonSchemaObject {
  /** What it is for. */
  description?: string;
  /** The value if absent. */
  default?: unknown;
  /** `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`. */
  type?: string;
  /** Values that make sense. */
  examples?: readonly unknown[];
  /** The values that are allowed. */
  enum?: readonly unknown[];
  /** The one value that is allowed. */
  const?: unknown;
  /** The least number. */
  minimum?: number;
  /** The greatest number. */
  maximum?: number;
  /** The number must be more. */
  exclusiveMinimum?: number;
  /** The number must be less. */
  exclusiveMaximum?: number;
  /** The least number of items of a list. */
  minItems?: number;
  /** The fields of an object. */
  properties?: Record<string, JsonSchemaObject>;
  /** Those that must be there. */
  required?: readonly string[];
  /** What other fields of an object may be. */
  additionalProperties?: boolean | JsonSchemaObject;
  /** What the items of a list may be. */
  items?: JsonSchemaObject;
  /** One of these. */
  anyOf?: readonly JsonSchemaObject[];
  /** One of these. */
  oneOf?: readonly JsonSchemaObject[];
  /** Whatever else JSON Schema has. */
  [keyword: string]: unknown;
}

/**
 * The options of a node type as JSON Schema (draft 2020-12), as a user writes them.
 *
 * @param nodeClass the type
 * @returns the schema; of an object with any fields if the type has none
 *
 * @example
 * ```ts
 * import { optionsJsonSchema } from "@remotemedia/sdk";
 * import { AudioTransform } from "@remotemedia/sdk/nodes";
 *
 * console.log(Object.keys(optionsJsonSchema(AudioTransform).properties ?? {}));
 * ```
 */
export function optionsJsonSchema({ options }: Pick<NodeClass, "options">): JsonSchemaObject {
  if (options === undefined) return { type: "object" };
  const { $schema: _, ...schema } = toJsonSchema(options);
  return schema;
}

/**
 * Manifests with the node types of a registry as JSON Schema (draft 2020-12), for editors to complete and check.
 *
 * @param registry the types
 *
 * @example
 * ```ts
 * import { manifestJsonSchema, NodeRegistry } from "@remotemedia/sdk";
 * import { builtinNodes } from "@remotemedia/sdk/nodes";
 *
 * console.log(manifestJsonSchema(new NodeRegistry(builtinNodes)).title); // "RemoteMedia manifest"
 * ```
 */
export function manifestJsonSchema(registry: NodeRegistry): JsonSchemaObject {
  const manifest = toJsonSchema(manifestSchema);
  const graph = toJsonSchema(graphSchema);
  const { type: _type, module, graph: nested, options: _options, ...common } = manifest
    .properties!["nodes"]!.items!.properties!;
  const variant = (
    fields: Record<string, JsonSchemaObject>,
    required: string[],
  ): JsonSchemaObject => ({
    type: "object",
    properties: { ...fields, ...common },
    required,
    additionalProperties: false,
  });
  const variants = registry.types.map((type) => {
    const options = optionsJsonSchema(registry.get(type)!);
    const needsOptions = (options.required ?? []).length > 0;
    return variant(
      { type: { const: type }, options },
      needsOptions ? ["type", "options"] : ["type"],
    );
  });
  const own = variant({ module: module!, options: { type: "object" } }, ["module"]);
  const inner = variant({
    graph: { $ref: "#/$defs/graph", description: nested!.description },
  }, ["graph"]);
  const nodes = { ...manifest.properties!["nodes"], items: { $ref: "#/$defs/node" } };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "RemoteMedia manifest",
    ...withoutSchema(manifest),
    properties: { ...manifest.properties, nodes },
    $defs: {
      node: { anyOf: [...variants, own, inner] },
      graph: { ...withoutSchema(graph), properties: { ...graph.properties, nodes } },
    },
  };
}

/** JSON Schema of a Zod schema, for input. */
export function toJsonSchema(schema: OptionsSchema): JsonSchemaObject {
  if (!(schema instanceof z.ZodType)) return { type: "object" };
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchemaObject;
}

function withoutSchema({ $schema: _, ...schema }: JsonSchemaObject): JsonSchemaObject {
  return schema;
}

/** The schema of the value at `path`; `undefined` where any is allowed. */
export function schemaAt(
  schema: JsonSchemaObject | undefined,
  path: readonly PropertyKey[],
): JsonSchemaObject | undefined {
  let at = schema;
  for (const step of path) {
    const choices: readonly JsonSchemaObject[] = at === undefined ? [] : [at, ...alternatives(at)];
    at = choices.map((choice) => fieldOf(choice, step)).find((field) => field !== undefined);
  }
  return at;
}

/** The names of the fields that the schema knows. */
export function fieldNames(schema: JsonSchemaObject | undefined): string[] {
  if (schema === undefined) return [];
  return [schema, ...alternatives(schema)].flatMap(({ properties = {} }) =>
    Object.keys(properties)
  );
}

/**
 * What a schema allows, in a few words: `a whole number from 1 to 8`.
 *
 * @param schema a JSON Schema
 */
export function describeSchema(schema: JsonSchemaObject): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if ("const" in schema) return JSON.stringify(schema.const);
  const choices = alternatives(schema);
  if (choices.length > 0) return [...new Set(choices.map(describeSchema))].join(", or ");
  switch (schema.type) {
    case "integer":
      return `a whole number${rangeOf(schema)}`;
    case "number":
      return `a number${rangeOf(schema)}`;
    case "string":
      return "a text";
    case "boolean":
      return "true or false";
    case "array":
      return `a list${
        schema.items === undefined ? "" : ` of ${plural(describeSchema(schema.items))}`
      }`;
    case "object":
      return "an object";
    case "null":
      return "null";
    default:
      return "anything";
  }
}

function alternatives({ anyOf = [], oneOf = [] }: JsonSchemaObject): readonly JsonSchemaObject[] {
  return [...anyOf, ...oneOf];
}

function fieldOf({ properties, items, additionalProperties }: JsonSchemaObject, step: PropertyKey) {
  if (typeof step === "number") return items;
  const field = properties?.[String(step)];
  if (field !== undefined) return field;
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

function rangeOf(schema: JsonSchemaObject): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const isOpen = (bound: number | undefined) =>
    bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER;
  const low = exclusiveMinimum !== undefined
    ? `above ${exclusiveMinimum}`
    : isOpen(minimum)
    ? ""
    : `${minimum}`;
  const high = exclusiveMaximum !== undefined
    ? `below ${exclusiveMaximum}`
    : isOpen(maximum)
    ? ""
    : `${maximum}`;
  if (low !== "" && high !== "" && !low.includes(" ") && !high.includes(" ")) {
    return ` from ${low} to ${high}`;
  }
  const parts = [
    low === "" || low.includes(" ") ? low : `of at least ${low}`,
    high === "" || high.includes(" ") ? high : `at most ${high}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` ${parts.join(" and ")}`;
}

function plural(words: string): string {
  return words.replace(/^an? (whole number|number|text|object|list)/, "$1s");
}

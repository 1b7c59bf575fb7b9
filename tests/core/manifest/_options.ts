import fc from "fast-check";
import { type JsonSchemaObject, type NodeClass, optionsJsonSchema } from "../../../core/mod.ts";

/** Options that a random text hardly ever fits. */
const special: Record<string, fc.Arbitrary<unknown>> = {
  expression: fc.constantFrom("$", "a.b", "$sum(items.price)", '{ "x": a & "${b}" }'),
  schema: fc.constantFrom<unknown>(true, {}, { type: "object", required: ["a", "# b: c"] }),
  baseUrl: fc.webUrl(),
  apiKey: fc.constant("${KEY}"),
  tools: fc.constant([]),
  url: fc.oneof(fc.webUrl(), fc.webUrl().map((url) => url.replace(/^http/, "ws"))),
};

/** Options of a node type at random, all of which it takes. */
export function optionsOf(nodeClass: NodeClass): fc.Arbitrary<Record<string, unknown>> {
  const schema = optionsJsonSchema(nodeClass);
  const any = arbitraryOf(schema) as fc.Arbitrary<Record<string, unknown>>;
  return any.filter((options) => nodeClass.options?.safeParse(options).success ?? true);
}

function arbitraryOf(schema: JsonSchemaObject, name = ""): fc.Arbitrary<unknown> {
  const own = special[name];
  if (own !== undefined) return own;
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = [...schema.anyOf ?? [], ...schema.oneOf ?? []];
  if (choices.length > 0) return fc.oneof(...choices.map((choice) => arbitraryOf(choice)));
  const { minimum = -1e6, maximum = 1e6, exclusiveMinimum, exclusiveMaximum } = schema;
  switch (schema.type) {
    case "integer":
      return fc.integer({
        min: Math.max(exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1, -1e9),
        max: Math.min(maximum, 1e9),
      });
    case "number":
      return fc.double({
        min: exclusiveMinimum ?? minimum,
        minExcluded: exclusiveMinimum !== undefined,
        max: exclusiveMaximum ?? maximum,
        noNaN: true,
        noDefaultInfinity: true,
      }).map((value) => value === 0 ? 0 : value); // JSON has no -0
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(arbitraryOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(Number(schema["maxItems"] ?? 4), 4),
      });
    case "object":
      return objectOf(schema);
    case "string":
      return textOf(schema);
    default:
      return fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  }
}

function objectOf({ properties, required = [], additionalProperties }: JsonSchemaObject) {
  if (properties === undefined) {
    const value = typeof additionalProperties === "object" ? additionalProperties : {};
    const key = fc.stringMatching(/^[A-Za-z#: -]{1,8}$/);
    return fc.dictionary(key, arbitraryOf(value), { maxKeys: 3, noNullPrototype: true });
  }
  const fields = Object.entries(properties).map(([name, schema]) =>
    [name, arbitraryOf(schema, name)] as const
  );
  return fc.record(Object.fromEntries(fields), {
    requiredKeys: [...required],
    noNullPrototype: true,
  });
}

/** Texts that YAML could take for something else, and random ones. */
function textOf(schema: JsonSchemaObject): fc.Arbitrary<string> {
  const pattern = schema["pattern"];
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern));
  const minLength = Number(schema["minLength"] ?? 0);
  const maxLength = Math.min(Number(schema["maxLength"] ?? 20), 20);
  const odd = [
    "yes",
    "null",
    "~",
    "1e3",
    "0x1f",
    "${HOME}",
    "a: b",
    "# no",
    "*a",
    "&b",
    "!!x",
    "-",
    "|\n x",
    "\u{1f600}",
  ]
    .filter(({ length }) => length >= minLength && length <= maxLength);
  const random = fc.string({ minLength, maxLength, unit: "grapheme" });
  return odd.length === 0 ? random : fc.oneof(random, fc.constantFrom(...odd));
}

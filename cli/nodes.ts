import { Command } from "commander";
import { ConfigurationError } from "../core/errors.ts";
import { describeSchema, type JsonSchemaObject, optionsJsonSchema } from "../core/mod.ts";
import { nearest } from "../core/registry.ts";
import { stringify } from "yaml";
import { registry } from "./manifest_file.ts";
import { print, table } from "./output.ts";

/** `remotemedia nodes`. */
export function nodesCommand(): Command {
  const command = new Command("nodes").description("The node types that a manifest may name");
  command.command("list", { isDefault: true })
    .description("List them")
    .option("--json", "Print them as JSON, with their options' JSON Schema", false)
    .action(({ json }: { json: boolean }) => {
      const types = registry.types.toSorted();
      if (json) {
        print(JSON.stringify(
          types.map((type) => ({ type, options: optionsJsonSchema(registry.get(type)!) })),
          undefined,
          2,
        ));
      } else print(table(types.map((type) => [type, optionNames(type)])));
    });
  command.command("show")
    .description("Show a type's options, with what they allow, their defaults, and an example")
    .argument("<type>", "The name of a type")
    .option("--json", "Print its options' JSON Schema", false)
    .action((type: string, { json }: { json: boolean }) => {
      const nodeClass = registry.get(type);
      if (nodeClass === undefined) throw new ConfigurationError(unknown(type));
      const schema = optionsJsonSchema(nodeClass);
      print(json ? JSON.stringify(schema, undefined, 2) : show(type, schema));
    });
  return command;
}

function optionNames(type: string): string {
  return Object.keys(optionsJsonSchema(registry.get(type)!).properties ?? {}).join(", ");
}

function unknown(type: string): string {
  const near = nearest(type, registry.types);
  const hint = near === undefined ? "see remotemedia nodes list" : `did you mean ${near}?`;
  return `Cannot find node type ${type}: ${hint}`;
}

/** An option as a row: its name, what it may be, its default, what it is for. */
export function optionRows(schema: JsonSchemaObject): string[][] {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).map(([name, option]) => [
    name,
    describeSchema(option),
    "default" in option
      ? JSON.stringify(option.default)
      : required.includes(name)
      ? "required"
      : "none",
    option.description ?? "",
  ]);
}

/**
 * A node in a manifest, with its defaults, and its schema's examples or the least value that each required option
 * may have.
 */
export function exampleOf(type: string, schema: JsonSchemaObject): string {
  const required = schema.required ?? [];
  const options = Object.entries(schema.properties ?? {}).filter(([name, option]) =>
    "default" in option || required.includes(name) || option.examples !== undefined
  ).map(([name, option]) => [name, option.default ?? exampleValue(option)]);
  const node = {
    type,
    ...(options.length > 0 && { options: Object.fromEntries(options) }),
  };
  return stringify([node], { lineWidth: 100 }).trimEnd();
}

function exampleValue(schema: JsonSchemaObject): unknown {
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf?.[0] !== undefined) return exampleValue(schema.anyOf[0]);
  switch (schema.type) {
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "object":
      return {};
    default:
      return "…";
  }
}

function show(type: string, schema: JsonSchemaObject): string {
  const rows = optionRows(schema);
  const options = rows.length === 0
    ? "It has no options."
    : table([["option", "allowed", "default", "what for"], ...rows]);
  return `${type}\n\n${options}\n\nIn a manifest:\n\n${exampleOf(type, schema)}`;
}

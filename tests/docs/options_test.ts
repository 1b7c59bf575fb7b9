import { deepEqual, ok } from "node:assert/strict";
import { type JsonSchemaObject, NodeRegistry, optionsJsonSchema } from "../../core/mod.ts";
import { builtinNodes } from "../../nodes/mod.ts";

/** What a name says of its unit, and what the description must say of it then. */
const units: readonly (readonly [name: RegExp, said: RegExp])[] = [
  [/Ms$|^ms$/, /\bms\b/],
  [/Seconds$|^seconds$/, /\bs\b|seconds/],
  [/Bytes$/, /bytes/],
  [/Db$/, /dB/],
  [/Hz$|sampleRate$/i, /Hz|a second/],
];

/** Every option with its path, those inside of others too. */
function* optionsOf(schema: JsonSchemaObject, path: string): Generator<[string, JsonSchemaObject]> {
  for (const [name, option] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, option];
    yield* optionsOf(option, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* optionsOf(schema.items, `${path}[]`);
  for (const form of [...schema.anyOf ?? [], ...schema.oneOf ?? []]) yield* optionsOf(form, path);
}

Deno.test("Every option of every node has a description, with its unit where it has one", () => {
  const registry = new NodeRegistry(builtinNodes);
  const all = registry.types.flatMap((type) => [
    ...optionsOf(optionsJsonSchema(registry.get(type)!), type),
  ]);
  ok(all.length > 150, `${all.length} options were found`);
  const missing = all.filter(([, { description }]) => !description).map(([path]) => path);
  deepEqual(missing, []);
  const without = all.filter(([path, { description }]) => {
    const name = path.split(".").at(-1)!;
    return units.some(([named, said]) => named.test(name) && !said.test(description!));
  });
  deepEqual(without.map(([path, { description }]) => `${path}: ${description}`), []);
});

Deno.test("The README's table names every node that comes with the library", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const types = builtinNodes.map(({ type, name }) => type ?? name);
  deepEqual(types.filter((type) => !readme.includes(`\`${type}\``)), []);
});

import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  formatManifest,
  Graph,
  type Manifest,
  NodeRegistry,
  parseManifest,
  Pipeline,
  pipelineFromManifest,
  toManifest,
} from "../../../core/mod.ts";
import { builtinNodes } from "../../../nodes/mod.ts";
import { optionsOf } from "./_options.ts";

const registry = new NodeRegistry(builtinNodes);

/** Text to manifest to pipeline to manifest to text, all of them the same. */
async function checkRoundTrip(text: string): Promise<Manifest> {
  const createExecutor = (_: unknown, name: string) => ({
    name,
    open: () => new Pipeline([registry.create({ name: "x", type: "PassThrough", options: {} })]),
  });
  const manifest = parseManifest(text, { registry });
  const env = { TOKEN: "very-secret" };
  const base = new URL("../", import.meta.url);
  const pipeline = await pipelineFromManifest(manifest, {
    registry,
    createExecutor,
    env,
    base,
    importModules: true,
  });
  const written = toManifest(pipeline);
  deepEqual(written, manifest);
  for (const as of ["yaml", "json"] as const) {
    const again = formatManifest(written, { as });
    ok(!again.includes("very-secret"));
    deepEqual(parseManifest(again, { registry }), manifest);
  }
  return manifest;
}

for (const nodeClass of builtinNodes) {
  const type = nodeClass.type ?? nodeClass.name;
  Deno.test(`Manifest of ${type} with any options comes back from its pipeline`, async () => {
    await fc.assert(
      fc.asyncProperty(optionsOf(nodeClass), async (options) => {
        const nodes = [{ type, options, concurrency: 1, queue: { size: 3 } }];
        const manifest = await checkRoundTrip(JSON.stringify({ version: 1, nodes }));
        equal(manifest.nodes[0]!.id, type);
      }),
      { numRuns: 25 },
    );
  });
}

const graph = `
version: 1
name: everything
description: all that a manifest can say
nodes:
  - { id: in, type: PassThrough }
  - { type: PassThrough, executor: gpu, queue: { size: 4, overflow: drop-oldest } }
  - { type: PassThrough, executor: gpu }
  - id: inner
    graph:
      nodes: [{ id: a, type: PassThrough }, { id: b, type: PassThrough }]
      output: [a, b]
      outputMerge: timestamp
  - { id: out, type: PassThrough, concurrency: 3, merge: { order: timestamp, maxWaitMs: forever } }
  - { id: last, module: "./_nodes.ts#Add", options: { by: 3 } }
connections:
  - { from: in, to: PassThrough, policy: sample, every: 2 }
  - { from: in, to: inner, policy: drop-newest, size: 3 }
  - { from: PassThrough, to: PassThrough-2 }
  - { from: PassThrough-2, to: out }
  - { from: inner, to: out }
  - { from: out, to: last }
executors:
  gpu: { host: gpu.internal, port: 50052, tls: true, token: "\${TOKEN}" }
output: [out, last]
outputMerge: { order: timestamp, maxWaitMs: 250 }
`;

Deno.test("Manifest with all that it can say comes back from its pipeline", async () => {
  const manifest = await checkRoundTrip(graph);
  equal(manifest.nodes.length, 6);
  deepEqual(manifest.nodes[3]!.graph!.outputMerge, { order: "timestamp" });
  equal(manifest.executors!["gpu"]!.token, "${TOKEN}");
});

Deno.test("Manifest of a line gives a Pipeline, with connections a Graph, that run", async () => {
  const run = async (text: string) => {
    const manifest = parseManifest(text, { registry });
    const pipeline = await pipelineFromManifest(manifest, { registry });
    return { pipeline, outputs: await Array.fromAsync(pipeline.run(["a", "b"])) };
  };
  const nodes =
    "version: 1\nnodes: [{ type: TextTransform, options: { case: upper } }, { type: PassThrough }]\n";
  const line = await run(nodes);
  ok(line.pipeline instanceof Pipeline);
  deepEqual(line.outputs, ["A", "B"]);
  const fan = await run(`${nodes}connections: []\n`);
  ok(fan.pipeline instanceof Graph);
  deepEqual(fan.outputs.toSorted(), ["A", "B", "a", "b"]);
});

Deno.test("toManifest refuses what a manifest cannot say", () => {
  const executor = {
    name: "mine",
    open: () => new Pipeline([registry.create({ name: "x", type: "PassThrough", options: {} })]),
  };
  const create = registry.get("PassThrough")!;
  const pipeline = new Pipeline([new create({} as never, { executor })]);
  throws(() => toManifest(pipeline), /executor mine is not known/);
  const known = new Map([[executor, { name: "gpu", settings: { host: "gpu" } }]]);
  deepEqual(toManifest(pipeline, { executors: known }).executors, { gpu: { host: "gpu" } });
});

Deno.test("pipelineFromManifest gives only what it is allowed to", async () => {
  const refused = async (text: string, options = {}) => {
    try {
      await pipelineFromManifest(parseManifest(text, { registry, file: "m.yaml" }), {
        registry,
        ...options,
      });
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it was not refused");
  };
  const remote = `version: 1
nodes:
  - { type: PassThrough, executor: gpu }
executors:
  gpu: { token: "\${TOKEN}" }
`;
  match(await refused(remote), /^m\.yaml:3:36: Cannot use executor gpu/);
  const createExecutor = () => {
    throw new Error("not reached");
  };
  match(
    await refused(remote, { createExecutor }),
    /^m\.yaml:5:17: .*the environment has no variable TOKEN/,
  );
  const module = "version: 1\nnodes:\n  - module: ./no.ts#X\n";
  match(
    await refused(module),
    /^m\.yaml:3:13: Cannot load \.\/no\.ts#X as importModules is not set/,
  );
  match(await refused(module, { importModules: true }), /^m\.yaml:3:13: Cannot load \.\/no\.ts: /);
  const base = new URL("../", import.meta.url);
  match(
    await refused(module.replace("no.ts#X", "_nodes.ts#collect"), { importModules: true, base }),
    /collect is not a node/,
  );
});

Deno.test("Manifest whose nodes are called like an object's own fields comes back", async () => {
  await checkRoundTrip(`version: 1
nodes:
  - { id: constructor, type: PassThrough }
  - { id: toString, type: PassThrough }
  - { id: __proto__, type: PassThrough, merge: timestamp }
connections: [{ from: constructor, to: __proto__ }, { from: toString, to: __proto__ }]
`);
});

/**
 * 10: a pipeline as a file. `10_manifest.yaml` run from code; the command line runs and draws the same file:
 *
 * `deno task cli run examples/10_manifest.yaml -i tests/testdata/conversation.wav`
 * `deno task cli graph examples/10_manifest.yaml -o graph.svg`
 */
import { NodeRegistry, parseManifest, pipelineFromManifest, readMedia } from "@remotemedia/sdk";
import { builtinNodes } from "@remotemedia/sdk/nodes";

const path = new URL("./10_manifest.yaml", import.meta.url);
const registry = new NodeRegistry(builtinNodes); // the types that the file may name
const manifest = parseManifest(await Deno.readTextFile(path), { registry, file: path.pathname });
const pipeline = await pipelineFromManifest(manifest, { registry });

const file = Deno.args[0] ?? new URL("../tests/testdata/conversation.wav", import.meta.url);
for await (const result of pipeline.run(readMedia(file))) console.log(JSON.stringify(result));

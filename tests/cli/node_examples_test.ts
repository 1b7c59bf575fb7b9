import { deepEqual, ok } from "node:assert/strict";
import { exampleOf } from "../../cli/nodes.ts";
import { registry } from "../../cli/manifest_file.ts";
import {
  AudioFrame,
  EncodedFrame,
  optionsJsonSchema,
  parseManifest,
  pipelineFromManifest,
  VideoFrame,
} from "../../core/mod.ts";

/** Types whose example does not run by itself, and what it lacks. */
const notRun: Record<string, string> = {
  SerializedClassExecutorNode: "takes an instance of a packaged class",
  LanguageModel: "a service",
  OnnxModel: "the file of a model",
  SpeechToText: "a model",
  TextToSpeech: "a model",
  TransformersPipeline: "a model",
  VideoDecoder: "packets of a video, which its own tests encode",
};

const examples = registry.types.map((type) => ({
  type,
  text: `version: 1\nnodes:\n${exampleOf(type, optionsJsonSchema(registry.get(type)!))}\n`,
}));

Deno.test("nodes show gives an example of every node that a manifest may hold", () => {
  const wrong = examples.flatMap(({ type, text }) => {
    try {
      const { nodes } = parseManifest(text, { registry });
      return nodes[0]!.type === type && !text.includes("…") ? [] : [`${type}: ${text}`];
    } catch (error) {
      return [`${type}: ${(error as Error).message}`];
    }
  });
  deepEqual(wrong, []);
});

/** Named tracks, as nodes that put them together want them. */
const tracks: Record<string, string> = { AudioChannelMerger: "left", Recorder: "me" };

const audioOf = (type: string) =>
  Array.from({ length: 2 }, (_, index) =>
    new AudioFrame({
      data: new Float32Array(1_600).fill(0.1),
      sampleRate: 16_000,
      numberOfChannels: 1,
      timestamp: index * 100_000,
      metadata: { speech: true, ...(tracks[type] !== undefined && { track: tracks[type] }) },
    }));
const video = Array.from({ length: 3 }, (_, index) =>
  new VideoFrame({
    data: new Uint8Array(32 * 32 * 4),
    format: "RGBA",
    codedWidth: 32,
    codedHeight: 32,
    timestamp: index * 40_000,
    duration: 40_000,
  }));

/** What a node may take: its example must run with one of them. */
const kindsFor = (
  type: string,
): unknown[][] => [audioOf(type), video, ["a word."], [{ a: 1 }], [[1, 2]], [
  new EncodedFrame({
    codec: "opus",
    type: "key",
    data: new Uint8Array([0xf8, 0xff, 0xfe]), // 20 ms of silence (RFC 6716)
    timestamp: 0,
    duration: 20_000,
    metadata: { sampleRate: 48_000, numberOfChannels: 1 },
  }),
]];

Deno.test("The example of every node that reaches nothing else runs", async () => {
  const failed: string[] = [];
  let count = 0;
  for (const { type, text } of examples) {
    const nodeClass = registry.get(type)!;
    if (Object.hasOwn(notRun, type) || (nodeClass.access ?? []).length > 0) continue;
    const manifest = parseManifest(text, { registry });
    const kinds = kindsFor(type);
    const faults: string[] = [];
    for (const inputs of kinds) {
      const pipeline = await pipelineFromManifest(manifest, { registry });
      const fault = await Array.fromAsync(pipeline.run(inputs)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (fault === undefined) break;
      faults.push(fault);
    }
    count++;
    if (faults.length === kinds.length) failed.push(faults.join("; "));
  }
  deepEqual(failed, []);
  ok(count > 35, `${count}`);
});

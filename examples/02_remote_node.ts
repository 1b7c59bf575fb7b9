/** 02: the same pipeline with its heavy node on a server: one more word in the node's config. */
import { Pipeline, readMedia, RemoteExecutor, VoiceActivityDetector } from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";

await using server = await serve({ port: 0 }); // on another machine: deno task serve
await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });

const file = Deno.args[0] ?? new URL("../tests/testdata/conversation.wav", import.meta.url);
const audio = readMedia(file, { sampleRate: 16_000, channels: 1 });
const pipeline = new Pipeline([new VoiceActivityDetector({}, { executor })]);

for await (const { start, end } of pipeline.run(audio)) {
  console.log(`${(start / 1e6).toFixed(2)} s to ${(end / 1e6).toFixed(2)} s`);
}
for (const { name, in: taken, latency } of pipeline.stats()) {
  console.log(`${name}: ${taken} frames on port ${server.port}, p95 ${latency.p95.toFixed(2)} ms`);
}

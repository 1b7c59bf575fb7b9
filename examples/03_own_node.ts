/** 03: your own node on a server. Its code goes along by itself, and runs there in a sandbox without any rights. */
import { Pipeline, readMedia, RemoteExecutor } from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";
import { Loudness } from "./nodes/loudness.ts";

await using server = await serve({ port: 0 }); // on another machine: deno task serve
await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });

const file = new URL("../tests/testdata/conversation.wav", import.meta.url);
const pipeline = new Pipeline([new Loudness({}, { executor })]);
let loudest = { at: 0, db: -Infinity };
for await (const reading of pipeline.run(readMedia(file, { frameMs: 500 }))) {
  if (reading.db > loudest.db) loudest = reading;
}
console.log(`Loudest at ${loudest.at.toFixed(1)} s: ${loudest.db.toFixed(1)} dBFS`);

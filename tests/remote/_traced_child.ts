/** A traced server of the test nodes: prints its port, and, once asked for on the standard input, its spans. */
import { serve } from "../../remote/server/mod.ts";
import { testNodes } from "./_nodes.ts";
import { collectSpans } from "./_spans.ts";

const spans = collectSpans();
const server = await serve({ port: 0, nodes: testNodes, userCode: false });
console.log(server.port);
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const _ of lines) console.log(JSON.stringify(spans()));
Deno.exit(0);

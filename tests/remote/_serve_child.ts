/** A server of the test nodes in a process of its own, so that it can be killed. Prints its port. */
import { serve } from "../../remote/server/mod.ts";
import { testNodes } from "./_nodes.ts";

const [port = "0", maxSessions = "1000", pipelines = "", maxBytesInFlight] = Deno.args;
const server = await serve({
  port: Number(port),
  nodes: testNodes,
  maxSessions: Number(maxSessions),
  policy: maxBytesInFlight === undefined ? {} : { maxBytesInFlight: Number(maxBytesInFlight) },
  ...(pipelines !== "" && { pipelines }),
});
console.log(server.port);

import assert from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { goTool } from "./_go_tool.ts";
import { testNodes } from "./_nodes.ts";

const MODULE = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

Deno.test("grpcurl lists services by reflection and calls Execute and the registry of pipelines", async () => {
  const tool = await goTool("grpcurl", MODULE);
  if ("skipped" in tool) {
    console.log(`skipped: ${tool.skipped}`);
    return;
  }
  await using server = await serve({
    port: 0,
    nodes: testNodes,
    userCode: false,
    pipelines: ":memory:",
  });
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await new Deno.Command(tool.path, {
      args: ["-plaintext", ...args],
      stdout: "piped",
      stderr: "piped",
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  const services = await run(server.address, "list");
  assert.match(services, /remotemedia\.v1\.ExecutionService/);
  // the MessagePack values 1, 2, 3 through SlowDouble
  const request = JSON.stringify({
    protocolVersion: 1,
    segment: [{ name: "double", type: "SlowDouble" }],
    chunks: [{ values: { count: 3, packed: "AQID" } }],
  });
  const method = "remotemedia.v1.ExecutionService/Execute";
  const answer = JSON.parse(await run("-d", request, server.address, method));
  assert.deepEqual(answer.chunks, [{ values: { count: 3, packed: "AgQG" } }]);
  const wrong = request.replace("SlowDouble", "Nothing");
  const refused = await run("-d", wrong, server.address, method);
  assert.match(refused, /Code: InvalidArgument/);
  assert.match(refused, /Cannot find node type Nothing/);
  assert.match(refused, /remotemedia\.v1\.ErrorDetail/);
  const call = async (name: string, request: unknown) =>
    await run(
      "-d",
      JSON.stringify(request),
      server.address,
      `remotemedia.v1.PipelineService/${name}`,
    );
  const manifest = "version: 1\nname: twice\nnodes: [{ type: SlowDouble }]";
  const { pipeline } = JSON.parse(await call("RegisterPipeline", { manifest }));
  assert.equal(pipeline.owner, "anonymous");
  const ran = await call("RunPipeline", {
    protocolVersion: 1,
    pipeline: `twice@${pipeline.version.slice(0, 8)}`,
    chunks: [{ values: { count: 3, packed: "AQID" } }],
  });
  assert.deepEqual(JSON.parse(ran).chunks, [{ values: { count: 3, packed: "AgQG" } }]);
  const [listed] = JSON.parse(await call("ListPipelines", {})).pipelines;
  assert.deepEqual([listed.name, listed.runs, listed.newest], ["twice", "1", true]);
  assert.match(
    await call("GetPipeline", { pipeline: "twise" }),
    /NotFound[^]*did you mean twice\?/,
  );
  assert.deepEqual(JSON.parse(await call("UnregisterPipeline", { pipeline: "twice" })), {
    versions: 1,
  });
});

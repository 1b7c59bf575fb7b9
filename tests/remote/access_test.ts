import { deepEqual, ok, rejects } from "node:assert/strict";
import { Pipeline, RemoteError } from "../../core/mod.ts";
import { builtinNodes, Command, MediaReader } from "../../nodes/mod.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";

Deno.test("serve offers nodes that reach files, network, programs or code only where a policy names them", async () => {
  await using server = await serve({ port: 0, userCode: false });
  await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
  const offered = new Set((await executor.listNodes()).map(({ type }) => type));
  const kept = builtinNodes.filter(({ access = [] }) => access.length > 0);
  ok(kept.length >= 6, `${kept.length}`);
  deepEqual(kept.filter(({ name, type = name }) => offered.has(type)), []);
  for (
    const pipeline of [
      new Pipeline([new Command({ command: "cat" }, { executor })]),
      new Pipeline([new MediaReader({}, { executor })]),
    ]
  ) {
    const run = pipeline.run(["/etc/passwd"] as never) as ReadableStream<unknown>;
    await rejects(Array.fromAsync(run), (error: RemoteError) => {
      ok(error instanceof RemoteError && error.code === 7, `${error}`); // PERMISSION_DENIED
      return /Cannot use node type (Command|MediaReader) as "anonymous" may not/.test(
        error.message,
      );
    });
  }
});

Deno.test("serve offers a node that runs programs to whom a policy names it", async () => {
  await using server = await serve({ port: 0, userCode: false, policy: { nodes: ["Command"] } });
  await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
  deepEqual((await executor.listNodes()).map(({ type }) => type), ["Command"]);
  const pipeline = new Pipeline([new Command({ command: "cat" }, { executor })]);
  deepEqual(await Array.fromAsync(pipeline.run(["a", "b"]) as ReadableStream<unknown>), ["a", "b"]);
});

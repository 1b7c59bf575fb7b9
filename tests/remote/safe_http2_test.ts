import assert from "node:assert/strict";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { startChild } from "./_child_server.ts";

/** Opens sessions on one connection, and leaves while they run. */
async function openAndLeave(port: number, sessions: number): Promise<void> {
  await using executor = new RemoteExecutor({ port });
  await Promise.all(Array.from({ length: sessions }, async () => {
    const pipeline = new Pipeline([new PassThrough({}, { executor })]);
    const [writer, reader] = [pipeline.writable.getWriter(), pipeline.readable.getReader()];
    for (const { closed } of [writer, reader]) closed.catch(() => {}); // it leaves
    void writer.write(1).catch(() => {});
    assert.equal((await reader.read()).value, 1);
  }));
}

Deno.test("a server outlives clients that leave with all their sessions", async () => {
  await using child = await startChild();
  for (let round = 0; round < 10; round++) await openAndLeave(child.port, 100);
  await using executor = new RemoteExecutor({ port: child.port });
  assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
});

Deno.test("a client outlives the end of a server that it has no sessions at", async () => {
  const script = `
    import { makeHttp2Safe } from "${new URL("../../remote/wire/safe_http2.ts", import.meta.url)}";
    import { once } from "node:events";
    import * as http2 from "node:http2";
    makeHttp2Safe();
    for (let round = 0; round < 20; round++) {
      const server = http2.createServer();
      server.on("stream", (stream) => { stream.respond({ ":status": 200 }); stream.end("x"); });
      const told = once(server, "session");
      await new Promise((resolve) => server.listen(0, resolve));
      const client = http2.connect(\`http://127.0.0.1:\${server.address().port}\`);
      await Promise.all(Array.from({ length: 10 }, () => new Promise((resolve) => {
        client.request({ ":path": "/" }).resume().on("close", resolve);
      })));
      const closed = once(client, "close");
      (await told)[0].goaway(0);
      await closed;
      server.close();
    }`;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, script);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", path],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(path);
  }
});

import assert from "node:assert/strict";
import http2, { type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

Deno.test("RemoteExecutor outlives servers that end its connections by force", async () => {
  const sessions = new Set<Http2Session>();
  const server = http2.createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {}); // it ends on purpose
  });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "12" }, {
      endStream: true,
    });
    const { session } = stream;
    // an idle connection, ended with an error code
    setTimeout(() => session?.destroy(http2.constants.NGHTTP2_CANCEL as unknown as Error), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const script = fileURLToPath(new URL("./_goaway_client.ts", import.meta.url));
  const { code, signal, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, String(port)],
  }).output();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  assert.equal(new TextDecoder().decode(stdout), "12\n".repeat(5));
  assert.equal(sessions.size, 5);
  await new Promise((resolve) => server.close(resolve));
});

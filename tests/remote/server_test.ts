import assert from "node:assert/strict";
import { Client, credentials } from "@grpc/grpc-js";
import { ConfigurationError, Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor, type RemoteExecutorOptions } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";
import { SlowDouble, testNodes, Total, Waits } from "./_nodes.ts";
import { startPair, until } from "./_server.ts";

const pem = (name: string) =>
  Deno.readTextFileSync(new URL(`../testdata/tls/${name}`, import.meta.url));
const ca = pem("ca.pem");
const serverTls = { cert: pem("server.pem"), key: pem("server.key") };
const token = "a-token-of-some-length";

async function echo(options: RemoteExecutorOptions): Promise<unknown> {
  await using executor = new RemoteExecutor(options);
  const outputs = await Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([7]));
  return outputs[0];
}

async function errorOf(work: Promise<unknown>): Promise<RemoteError> {
  const error = await work.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof RemoteError, String(error));
  return error;
}

Deno.test("serve refuses to listen beyond this machine where nothing tells callers apart", async () => {
  await assert.rejects(() => serve({ host: "0.0.0.0", port: 0, userCode: false }), {
    name: "ConfigurationError",
    message: /^Cannot listen on 0\.0\.0\.0 as it can be reached from elsewhere/,
  });
  const options = { host: "0.0.0.0", port: 0, userCode: false } as const;
  for (const more of [{ insecure: true }, { tokens: [{ name: "a", token }] }]) {
    await using server = await serve({ ...options, ...more });
    assert.ok(server.port > 0);
  }
});

Deno.test("serve says in one sentence that a port is taken", async () => {
  await using server = await serve({ port: 0, userCode: false });
  await assert.rejects(() => serve({ port: server.port, userCode: false }), {
    name: "ConfigurationError",
    message: new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${server.port}: it is in use`),
  });
});

Deno.test("serve lets in who has a token, and gives what its policy gives", async () => {
  const tokens = [
    { name: "all", token },
    { name: "some", token: `${token}-2`, policy: { nodes: ["PassThrough"], maxSessions: 1 } },
  ];
  await using server = await serve({ port: 0, nodes: testNodes, tokens, userCode: false });
  const { port } = server;
  assert.equal(await echo({ port, token }), 7);
  for (const wrong of [undefined, "another-token-of-length", `${token}x`]) {
    const error = await errorOf(echo({ port, token: wrong }));
    assert.equal(error.code, 16);
    assert.match(error.message, /does not accept the token: Cannot serve call as/);
    await using executor = new RemoteExecutor({ port, token: wrong });
    assert.equal((await errorOf(executor.listNodes())).code, 16);
    assert.equal((await errorOf(executor.execute([new PassThrough()], [1]))).code, 16);
  }
  await using executor = new RemoteExecutor({ port, token: `${token}-2` });
  assert.deepEqual((await executor.listNodes()).map(({ type }) => type), ["PassThrough"]);
  const denied = await errorOf(
    Array.fromAsync(new Pipeline([new Total({}, { executor })]).run([1])),
  );
  assert.equal(denied.code, 7);
  assert.equal(denied.message, 'Cannot use node type Total as "some" may not');
  const open = new Pipeline([new PassThrough({}, { executor })]);
  const writer = open.writable.getWriter();
  const reader = open.readable.getReader();
  void writer.write(1);
  await reader.read();
  const second = await errorOf(
    Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([1])),
  );
  assert.equal(second.code, 8);
  assert.match(second.message, /"some" may have 1 sessions at once/);
  await writer.close();
  assert.ok((await reader.read()).done);
});

Deno.test("serve speaks TLS, with clients' certificates where it asks for them", async () => {
  await using server = await serve({ port: 0, tls: serverTls, userCode: false });
  const { port } = server;
  assert.equal(await echo({ host: "localhost", port, tls: { ca } }), 7);
  assert.match(
    (await errorOf(echo({ host: "localhost", port, tls: {} }))).message,
    /its TLS certificate is not accepted/,
  );
  await using strict = await serve({
    port: 0,
    tls: { ...serverTls, clientCa: ca },
    userCode: false,
  });
  const mine = { ca, cert: pem("client.pem"), key: pem("client.key") };
  assert.equal(await echo({ host: "localhost", port: strict.port, tls: mine }), 7);
  await errorOf(echo({ host: "localhost", port: strict.port, tls: { ca } }));
});

Deno.test("RemoteExecutor tells TLS against plaintext, the reverse, and a wrong host", async () => {
  await using plain = await serve({ port: 0, userCode: false });
  await using secure = await serve({ port: 0, tls: serverTls, userCode: false });
  const tlsToPlain = await errorOf(echo({ host: "localhost", port: plain.port, tls: { ca } }));
  assert.match(tlsToPlain.message, /does not speak TLS/);
  const plainToTls = await errorOf(echo({ port: secure.port, tls: false }));
  assert.match(plainToTls.message, /TLS/);
  const nobody = await errorOf(echo({ host: "no-such-host.invalid", port: 1, tls: false }));
  assert.match(nobody.message, /the host is not known/);
});

Deno.test("serve listens on a Unix socket", async () => {
  const path = await Deno.makeTempFile({ suffix: ".sock" });
  await Deno.remove(path);
  {
    await using server = await serve({ host: `unix:${path}`, userCode: false });
    assert.equal(server.address, `unix:${path}`);
    assert.equal(await echo({ target: `unix:${path}` }), 7);
  }
  await Deno.remove(path).catch(() => {});
});

Deno.test("serve listens where a server was killed that had a Unix socket, not where one lives", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s.sock`;
  // what is killed leaves its socket
  const code = `import net from "node:net"; net.createServer().listen("${path}", () => ` +
    `process.kill(process.pid, "SIGKILL")); import process from "node:process";`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", code], stderr: "null" }).output();
  assert.ok((await Deno.lstat(path)).isSocket);
  {
    await using server = await serve({ host: `unix:${path}`, userCode: false });
    assert.equal(await echo({ target: server.address }), 7);
    await assert.rejects(serve({ host: `unix:${path}`, userCode: false }), ConfigurationError);
    assert.equal(await echo({ target: server.address }), 7);
  }
  await Deno.remove(path).catch(() => {});
  await Deno.writeTextFile(path, "mine"); // no socket
  await assert.rejects(serve({ host: `unix:${path}`, userCode: false }), ConfigurationError);
  assert.equal(await Deno.readTextFile(path), "mine");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve says in one sentence what it cannot have", async () => {
  await using server = await serve({ port: 0, httpPort: 0, userCode: false });
  const { cert, key } = serverTls;
  for (
    const [options, message] of [
      [{ httpPort: server.httpPort! }, /^Cannot tell health and metrics on 127\.0\.0\.1:\d+: .+$/],
      [{ userCode: { bundleDirectory: "/proc/x" } }, /^Cannot keep bundles in \/proc\/x: .+$/],
      [{ tls: { cert: "x", key } }, /^Cannot serve TLS as the certificate is none: .+$/],
      [{ tls: { cert, key: "x" } }, /^Cannot serve TLS as the key is none: .+$/],
      [{ tls: { cert, key, clientCa: "x" } }, /^Cannot serve TLS as the client CA is none: .+$/],
      [{ tls: { cert, key: pem("client.key") } }, /^Cannot serve TLS as the key is not that of /],
    ] as const
  ) {
    await assert.rejects(serve({ port: 0, ...options }), (error) => {
      assert.ok(error instanceof ConfigurationError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("serve ends sessions that are silent or take too long", async () => {
  for (const limit of [{ idleTimeoutMs: 150 }, { wallTimeoutMs: 150 }]) {
    await using pair = await startPair({ server: limit, client: { retry: false } });
    const reader = new Pipeline([new Waits({}, pair)]).run([1]).getReader();
    const error = await errorOf(reader.read());
    assert.equal(error.code, 4);
    assert.match(error.message, /^The server ended the session as/);
  }
});

Deno.test("serve bounds the time that a token's nodes may take", async () => {
  const tokens = [{ name: "slow", token, policy: { cpuSecondsPerMinute: 0.3 } }];
  await using pair = await startPair({ server: { tokens }, client: { token, retry: false } });
  const endless = ReadableStream.from((function* () {
    while (true) yield 1;
  })());
  const error = await errorOf(
    Array.fromAsync(new Pipeline([new SlowDouble({}, pair)]).run(endless)),
  );
  assert.equal(error.code, 8);
  assert.match(error.message, /"slow" may use 0\.3 s of CPU a minute/);
});

Deno.test("serve answers health checks, for each service, and while draining", async () => {
  const { executor, server } = await startPair({ server: { userCode: false } });
  const client = new Client(server.address, credentials.createInsecure());
  const check = (service: string) =>
    new Promise<number>((resolve, reject) => {
      const name = new TextEncoder().encode(service);
      const request = Buffer.from(name.length === 0 ? [] : [0x0a, name.length, ...name]);
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        request,
        (error, response) => error ? reject(error) : resolve(response![1]!),
      );
    });
  assert.equal(await check(""), 1);
  assert.equal(await check("remotemedia.v1.ExecutionService"), 1);
  await assert.rejects(() => check("other.Service"), { code: 5 });
  const reader = new Pipeline([new Waits({}, { executor })]).run([1]).getReader();
  const read = reader.read();
  await until(() => server.sessions === 1, "session");
  const drained = server.drain(0.5);
  assert.equal(await check(""), 2);
  const refused = await errorOf(
    Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([1])),
  );
  assert.match(refused.message, /about to end and takes no new sessions/);
  assert.ok(refused.retryAfterMs! > 0);
  await reader.cancel();
  await read;
  await drained;
  client.close();
  await executor[Symbol.asyncDispose]();
});

Deno.test("serve hands sessions over to another server when it drains", async () => {
  const first = await serve({ port: 0, nodes: testNodes, userCode: false });
  const second = await serve({ port: 0, nodes: testNodes, userCode: false });
  {
    await using executor = new RemoteExecutor({
      endpoints: [{ port: first.port }, { port: second.port }],
    });
    const source = ReadableStream.from((async function* () {
      for (let index = 0; index < 200; index++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield index;
      }
    })());
    const outputs: number[] = [];
    for await (const output of new Pipeline([new SlowDouble({}, { executor })]).run(source)) {
      outputs.push(output);
      if (outputs.length === 50) {
        await (first.sessions > 0 ? first : second).drain(0.1);
      }
    }
    assert.deepEqual(outputs, Array.from({ length: 200 }, (_, index) => 2 * index));
  }
  await first.close();
  await second.close();
});

Deno.test("serve tells health and metrics over HTTP", async () => {
  await using pair = await startPair({ server: { httpPort: 0, userCode: false } });
  await Array.fromAsync(new Pipeline([new SlowDouble({}, pair)]).run([1, 2, 3]));
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${pair.server.httpPort}${path}`);
    return { status: response.status, text: await response.text() };
  };
  assert.equal((await get("/healthz")).status, 200);
  assert.equal((await get("/readyz")).status, 200);
  assert.equal((await get("/other")).status, 404);
  const { text } = await get("/metrics");
  assert.match(text, /remotemedia_chunks_total\{type="SlowDouble",direction="in"\} 3/);
  assert.match(text, /remotemedia_node_latency_seconds_count\{type="SlowDouble"\} [1-9]/);
  assert.match(text, /remotemedia_sessions 0/);
  assert.match(text, /remotemedia_rss_bytes \d+/);
});

import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import {
  FindMissingRequestSchema,
  FindMissingResponseSchema,
} from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { createBundle } from "../../packaging/mod.ts";
import { Numbered } from "./_nodes.ts";
import { Double } from "./sandbox/_user_nodes.ts";
import { Computes, type Work } from "./_worker_nodes.ts";
import { type CommandServer, isRunning, startCommand } from "./_workers.ts";

const token = (name: string) => `the-long-token-of-${name}`;

/** A file of tokens that is gone at the end. */
async function withTokens() {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  const grants = [
    { name: "one", token: token("one"), policy: { maxSessions: 1 } },
    { name: "many", token: token("many") },
    { name: "brief", token: token("brief"), policy: { cpuSecondsPerMinute: 0.3 } },
  ];
  await Deno.writeTextFile(path, JSON.stringify(grants)); // which is YAML too
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

async function eventually(condition: () => boolean | Promise<boolean>, what: string) {
  const until = Date.now() + 60_000;
  while (!await condition()) {
    if (Date.now() > until) throw new Error(`Not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A session that stays open until it is let go. */
async function hold(executor: RemoteExecutor): Promise<() => Promise<void>> {
  const pipeline = new Pipeline([new PassThrough({}, { executor })]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  writer.write(1).catch(() => {}); // the reader is told the same
  await reader.read();
  return async () => {
    await Promise.all([writer.close(), reader.read()]);
  };
}

async function refusalOf(work: Promise<unknown>): Promise<RemoteError> {
  const error = await work.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof RemoteError, String(error));
  return error;
}

async function workersOf(server: CommandServer): Promise<number> {
  const { text } = await server.get("/metrics");
  return Number(/remotemedia_workers (\d+)/.exec(text)?.[1] ?? NaN);
}

Deno.test("serve --workers computes in several processes at once, goes on after one is killed, and drains", async () => {
  await using server = await startCommand(["--workers=2", "--drain-seconds=20"]);
  const { port } = server;
  const compute = async (): Promise<Work[]> => {
    await using executor = new RemoteExecutor({ port });
    const pipeline = new Pipeline([new Computes({}, { executor })]);
    return await Array.fromAsync(pipeline.run(Array.from({ length: 20 }, () => 40)));
  };
  const [first, second] = await Promise.all([compute(), compute()]);
  const [a, b] = [new Set(first.map(({ pid }) => pid)), new Set(second.map(({ pid }) => pid))];
  assert.equal(a.size, 1);
  assert.equal(b.size, 1);
  assert.notDeepEqual(a, b, "both connections went to one process");
  assert.deepEqual(new Set(server.children()), a.union(b));
  assert.ok(
    first.some((one) => second.some((two) => one.from < two.to && two.from < one.to)),
    "the two never computed at the same time",
  );

  // a worker dies in the middle of a stream
  await using executor = new RemoteExecutor({ port });
  const before = server.children();
  const source = ReadableStream.from((async function* () {
    for (let index = 0; index < 600; index++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (index === 300) {
        for (const pid of before) Deno.kill(pid, "SIGKILL"); // one of them has the session
      }
      yield index;
    }
  })());
  const outputs = await Array.fromAsync(
    new Pipeline([new Numbered({}, { executor })]).run(source),
  ) as { count: number; input: number }[];
  const expected = Array.from({ length: 600 }, (_, index) => ({ count: index, input: index }));
  assert.deepEqual(outputs, expected);
  await eventually(async () => await workersOf(server) === 2, "both workers are back");
  assert.equal((await server.get("/readyz")).status, 200);
  const { text } = await server.get("/metrics");
  assert.match(text, /remotemedia_worker_restarts_total [2-9]/);
  // what the dead ones counted is still told
  assert.match(text, /remotemedia_chunks_total\{type="Computes",direction="in"\} 40/);

  // SIGTERM: what runs may end, nothing new begins, and nothing stays behind
  const release = await hold(executor);
  const workers = server.children();
  server.signal("SIGTERM");
  await eventually(async () => (await server.get("/readyz")).status === 503, "not ready");
  const refused = await refusalOf(executor.execute([new PassThrough()], [1]));
  assert.match(refused.message, /about to end and takes no new sessions/);
  assert.ok(refused.retryAfterMs! > 0);
  await release();
  assert.equal((await server.status).code, 0);
  assert.deepEqual(workers.filter(isRunning), []);
});

Deno.test("serve --workers keeps limits, quotas and bundles for all workers together", async () => {
  await using tokens = await withTokens();
  await using server = await startCommand([
    "--workers=2",
    "--max-sessions=3",
    `--tokens=${tokens.path}`,
  ]);
  const { port } = server;
  const executor = (name: string) => new RemoteExecutor({ port, token: token(name), retry: false });
  await using a = executor("many");
  await using b = executor("many");
  await using c = executor("one");
  await using d = executor("one");
  const held = [await hold(a), await hold(c)];
  const quota = await refusalOf(hold(d));
  assert.equal(quota.code, 8);
  assert.match(quota.message, /"one" may have 1 sessions at once/);
  held.push(await hold(b));
  const full = await refusalOf(hold(b));
  assert.equal(full.code, 8);
  assert.match(full.message, /full: 3 of 3 sessions are in use/);
  assert.equal(full.retryAfterMs, 1_000);
  const [status] = await b.status();
  assert.ok(status?.up);
  assert.deepEqual([status.sessions, status.maxSessions], [3, 3]);
  await Promise.all(held.map((release) => release()));
  await (await hold(d))();

  // half of the time is used in one process, half in another
  await using e = executor("brief");
  await using f = executor("brief");
  const work = (by: RemoteExecutor, ms: number) => by.execute([new Computes()], [ms]);
  await work(e, 200);
  const other = await refusalOf(work(f, 200));
  assert.match(other.message, /"brief" may use 0\.3 s of CPU a minute/);

  // a bundle goes to one worker, and all have it
  const user = new Pipeline([new Double({}, { executor: a })]);
  assert.deepEqual(await Array.fromAsync(user.run([21])), [42]);
  const { digest } = await createBundle(Double.module);
  const clients = [1, 2].map(() => new Client(`127.0.0.1:${port}`, credentials.createInsecure()));
  const missing = await Promise.all(clients.map((client) => findMissing(client, digest)));
  assert.deepEqual(missing, [[], []]);
  for (const client of clients) client.close();
});

function findMissing(client: Client, digest: string): Promise<string[]> {
  const question = create(FindMissingRequestSchema, { digests: [digest] });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token("many")}`);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/remotemedia.v1.BundleService/FindMissing",
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      toBinary(FindMissingRequestSchema, question),
      metadata,
      (error, response) =>
        error ? reject(error) : resolve(fromBinary(FindMissingResponseSchema, response!).digests),
    );
  });
}

Deno.test("serve --workers hands every connection over while it talks to its workers", async () => {
  await using server = await startCommand(["--workers=2"]);
  const { port } = server;
  let talking = true;
  // each of these has the front ask every worker, in the midst of what it hands over
  const talk = Promise.all(Array.from({ length: 4 }, async () => {
    while (talking) await server.get("/metrics");
  }));
  const connect = async () => {
    await using executor = new RemoteExecutor({ port, retry: false, timeoutMs: 20_000 });
    assert.deepEqual(await executor.execute([new PassThrough()], [1]), [1]);
  };
  try {
    for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 8 }, connect));
  } finally {
    talking = false;
    await talk;
  }
});

Deno.test("serve --workers serves by the others while one is stopped", async () => {
  await using server = await startCommand(["--workers=2"]);
  const { port } = server;
  await using busy = new RemoteExecutor({ port });
  const reader = new Pipeline([new PassThrough({}, { executor: busy })])
    .run(ReadableStream.from((async function* () {
      yield 1;
      await new Promise(() => {});
    })())).getReader();
  await reader.read(); // one of the workers has no session, and was the better choice
  const isServed = async () => {
    await using executor = new RemoteExecutor({ port, retry: false, timeoutMs: 2_000 });
    return await executor.execute([new PassThrough()], [1]).then(() => true, () => false);
  };
  for (const pid of server.children()) {
    Deno.kill(pid, "SIGSTOP");
    await eventually(isServed, "a connection is served");
    for (let count = 0; count < 4; count++) assert.ok(await isServed());
    assert.equal((await server.get("/readyz")).status, 200);
    Deno.kill(pid, "SIGCONT");
  }
});

Deno.test("serve --workers leaves no process behind when it is killed", async () => {
  await using server = await startCommand(["--workers=2"]);
  const workers = server.children();
  assert.equal(workers.length, 2);
  server.signal("SIGKILL");
  await eventually(() => !workers.some(isRunning), "the workers ended");
});

Deno.test("serve --workers says in one sentence why it cannot", async () => {
  await using server = await startCommand(["--workers=2"]);
  const run = async (...args: string[]) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "server.ts", ...args],
      stdout: "null",
      stderr: "piped",
    }).output();
    return { code, text: new TextDecoder().decode(stderr) };
  };
  const taken = await run("--workers=2", `--port=${server.port}`);
  assert.equal(taken.code, 2);
  assert.match(taken.text, /^Cannot listen on 127\.0\.0\.1:\d+: .*\n$/);
});

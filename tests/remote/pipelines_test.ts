import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Graph, Pipeline, RemoteError } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { TextTransform } from "../../nodes/text/text_transform.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve, type ServeOptions } from "../../remote/server/mod.ts";
import { migrations } from "../../remote/server/pipelines/migrations.ts";
import { PipelineStore } from "../../remote/server/pipelines/pipeline_store.ts";
import { startChild } from "./_child_server.ts";
import { FailOn, Numbered, testNodes, Total } from "./_nodes.ts";
import { until } from "./_server.ts";

const nodes = [...testNodes, TextTransform];
const tokens = ["alice", "bob", "carol", "dave"].map((name) => ({
  name,
  token: `the token of ${name}`,
  policy: {
    ...(name === "carol" && { pipelines: "all" as const }),
    ...(name === "dave" && { pipelines: "run" as const, nodes: ["TextTransform"] }),
  },
}));

/** A folder that is gone at the end, and the file of a registry in it. */
async function file() {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/pipelines.db`;
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** A server, and clients of it. */
async function start(options: ServeOptions = {}) {
  const server = await serve({
    port: 0,
    nodes,
    userCode: false,
    pipelines: ":memory:",
    ...options,
  });
  const clients: RemoteExecutor[] = [];
  const client = (name?: string) => {
    const executor = new RemoteExecutor({
      port: server.port,
      ...(name !== undefined && { token: `the token of ${name}` }),
    });
    clients.push(executor);
    return executor.pipelines;
  };
  return {
    client,
    async [Symbol.asyncDispose]() {
      for (const each of clients) await each[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

const shout = "version: 1\nname: shout\nnodes: [{ type: TextTransform, options: { case: upper } }]";
const whisper = shout.replace("upper", "lower");

function fails(code: number, message: RegExp) {
  return (error: Error) => {
    match(error.message, message);
    ok(!(error instanceof RemoteError) || error.code === code, `${error}`);
    return true;
  };
}

Deno.test("PipelineRegistry keeps a manifest once, however it is written, and runs it", async () => {
  await using server = await start();
  const pipelines = server.client();
  const first = await pipelines.register(shout);
  equal(first.owner, "anonymous");
  match(first.version, /^[0-9a-f]{64}$/);
  const again = await pipelines.register(
    JSON.stringify({
      nodes: [{ options: { case: "upper" }, id: "TextTransform", type: "TextTransform" }],
      name: "shout",
      version: 1,
    }),
  );
  const made = await pipelines.register(new Pipeline([new TextTransform({ case: "upper" })]), {
    name: "shout",
  });
  deepEqual([again.version, made.version], [first.version, first.version]);
  equal((await pipelines.list()).length, 1);
  deepEqual(await Array.fromAsync(pipelines.run("shout", ["a", "b"])), ["A", "B"]);
  const { manifest, runs, errors } = await pipelines.get("shout");
  deepEqual([manifest.name, manifest.nodes.length, runs, errors], ["shout", 1, 1, 0]);
});

Deno.test("PipelineRegistry addresses a version, and the newest by the name alone", async () => {
  await using server = await start();
  const pipelines = server.client();
  const [upper, lower] = [await pipelines.register(shout), await pipelines.register(whisper)];
  const run = async (address: string) => await Array.fromAsync(pipelines.run(address, ["aB"]));
  deepEqual(await run("shout"), ["ab"]);
  deepEqual(await run(`shout@${upper.version}`), ["AB"]);
  deepEqual(await run(`anonymous/shout@${upper.version.slice(0, 8)}`), ["AB"]);
  deepEqual((await pipelines.list()).map(({ version, isNewest }) => [version, isNewest]), [
    [lower.version, true],
    [upper.version, false],
  ]);
  await pipelines.register(shout); // an older version again: back to it
  deepEqual(await run("shout"), ["AB"]);
  equal(await pipelines.unregister(`shout@${upper.version}`), 1);
  deepEqual(await run("shout"), ["ab"]);
  await pipelines.register(shout);
  equal(await pipelines.unregister("shout"), 2);
  await rejects(run("shout"), fails(5, /^Cannot find pipeline shout: see ListPipelines$/));
  await pipelines.register(shout);
  await rejects(run("shuot"), fails(5, /did you mean shout\?$/));
});

Deno.test("PipelineRegistry shows a token its own and public pipelines, and lets it remove its own", async () => {
  await using server = await start({ tokens });
  const [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(server.client) as [
    ReturnType<typeof server.client>,
    ReturnType<typeof server.client>,
    ReturnType<typeof server.client>,
    ReturnType<typeof server.client>,
  ];
  await alice.register(shout);
  deepEqual(await bob.list(), []);
  await rejects(bob.get("alice/shout"), fails(5, /^Cannot find pipeline alice\/shout/));
  await rejects(Array.fromAsync(bob.run("alice/shout", ["a"])), fails(5, /Cannot find/));
  await rejects(bob.unregister("alice/shout"), fails(5, /Cannot find/));
  await alice.register(shout, { isPublic: true });
  equal((await bob.list())[0]?.owner, "alice");
  await rejects(bob.get("shout"), fails(5, /did you mean alice\/shout\?/));
  deepEqual(await Array.fromAsync(bob.run("alice/shout", ["a"])), ["A"]);
  await rejects(bob.unregister("alice/shout"), fails(7, /as it belongs to "alice"$/));
  deepEqual(await Array.fromAsync(dave.run("alice/shout", ["a"])), ["A"]);
  await rejects(dave.register(shout), fails(7, /"dave" may only run those that are there/));
  await alice.register(whisper);
  equal((await carol.list()).length, 2);
  equal(await carol.unregister("alice/shout"), 2);
  deepEqual(await alice.list(), []);
});

Deno.test("PipelineRegistry looks at the policy when a pipeline is registered and when it runs", async () => {
  await using at = await file();
  const plain = "version: 1\nname: plain\nnodes: [{ type: PassThrough }, { type: TextTransform }]";
  {
    await using server = await start({ tokens, pipelines: at.path });
    await server.client("alice").register(plain, { isPublic: true });
    const dave = server.client("dave");
    await rejects(
      Array.fromAsync(dave.run("alice/plain", ["a"])),
      fails(7, /Cannot use node type PassThrough as "dave" may not/),
    );
  }
  const policy = { nodes: ["TextTransform"] };
  const stricter = tokens.map((each) => ({ ...each, policy }));
  await using server = await start({ tokens: stricter, pipelines: at.path });
  const alice = server.client("alice");
  await rejects(Array.fromAsync(alice.run("plain", ["a"])), fails(7, /"alice" may not/));
  await rejects(alice.register(plain), fails(7, /Cannot use node type PassThrough/));
  const [{ errors, runs, lastError }] = await alice.list() as [
    Awaited<ReturnType<typeof alice.list>>[0],
  ];
  deepEqual([errors, runs], [2, 2]);
  match(lastError, /"alice" may not/);
});

Deno.test("PipelineRegistry refuses what a server must not open, with a position and a sentence", async () => {
  await using server = await start();
  const pipelines = server.client();
  const refused = async (text: string, expected: RegExp) => {
    await rejects(pipelines.register(text), fails(3, expected));
  };
  await refused(
    "version: 1\nnodes:\n  - { type: PassThrough, executor: gpu }\nexecutors: { gpu: { host: internal } }",
    /^manifest:3:36: Cannot register node PassThrough as it names executor gpu: a registered pipeline runs/,
  );
  await refused(
    "version: 1\nnodes:\n  - module: file:///etc/passwd#X",
    /^manifest:3:13: Cannot register node X as its module must be an uploaded bundle/,
  );
  await refused("version: 1\nnodes:\n  - type: TextTransfrom", /manifest:3:11: .*TextTransform\?/);
  await refused("version: 1\nnodes: [", /^manifest:\d+:\d+: Cannot/);
  const bundle = `version: 1\nnodes: [{ module: "bundle:${"0".repeat(64)}#X" }]`;
  await refused(bundle, /this server takes no user code/);
  deepEqual(await pipelines.list(), []);
});

Deno.test("A server without a file for pipelines says so", async () => {
  await using server = await serve({ port: 0, userCode: false });
  await using executor = new RemoteExecutor({ port: server.port });
  const { pipelines } = executor;
  const expected = fails(9, /keeps none: start it with --pipelines FILE$/);
  await rejects(pipelines.list(), expected);
  await rejects(Array.fromAsync(pipelines.run("x", [1])), expected);
});

Deno.test("Each run of a registered pipeline has nodes of its own, also of a graph, and failures are counted", async () => {
  await using server = await start();
  const pipelines = server.client();
  const total = new Graph({
    nodes: { in: new PassThrough(), a: new Total(), b: new FailOn({ number: 7 }) } as never,
    connections: [{ from: "in", to: "a" }, { from: "in", to: "b" }],
  });
  await pipelines.register(total, { name: "total" });
  const run = async (source: number[]) =>
    (await Array.fromAsync(pipelines.run("total", source)) as number[]).toSorted((a, b) => a - b);
  const [one, two] = await Promise.all([run([1, 2]), run([10, 20])]);
  deepEqual([one, two], [[1, 2, 3], [10, 20, 30]]);
  await rejects(run([7]), /not that one/);
  const { runs, errors, lastError } = await pipelines.get("total");
  deepEqual([runs, errors], [3, 1]);
  match(lastError, /not that one/);
});

Deno.test("A registered node of one's own runs after the server was started again without its bundles", async () => {
  await using at = await file();
  const module = new URL("./sandbox/_user_nodes.ts", import.meta.url).href;
  const manifest = {
    version: 1 as const,
    name: "mine",
    nodes: [{ id: "double", module: `${module}#Double` }],
  };
  {
    await using server = await start({ pipelines: at.path, userCode: {} });
    await server.client().register(manifest);
  }
  await using server = await start({ pipelines: at.path, userCode: {} });
  const pipelines = server.client();
  deepEqual(await Array.fromAsync(pipelines.run("mine", [1, 2])), [2, 4]);
  match((await pipelines.get("mine")).manifest.nodes[0]!.module!, /^bundle:[0-9a-f]{64}#Double$/);
  await pipelines.unregister("mine");
  const database = new DatabaseSync(at.path);
  equal(database.prepare("SELECT count(*) AS n FROM bundles").get()!["n"], 0);
  database.close();
});

Deno.test("PipelineStore takes over the file of every older version, and refuses that of a newer", async () => {
  for (let version = 1; version < migrations.length; version++) {
    await using at = await file();
    const old = new DatabaseSync(at.path);
    for (const step of migrations.slice(0, version)) old.exec(step);
    old.exec(`PRAGMA user_version = ${version};
      INSERT INTO pipelines (owner, name, version, description, manifest, public, position, registered_ms)
      VALUES ('alice', 'shout', '${"a".repeat(64)}', '', '{}', 1, 1, 5)`);
    old.close();
    using store = new PipelineStore(at.path);
    const [pipeline] = store.find({ owner: "alice" });
    deepEqual([pipeline!.runs, pipeline!.registeredMs, pipeline!.isPublic], [0, 5, true]);
    store.began(pipeline!);
    equal(store.find({ name: "shout" })[0]!.runs, 1);
    const newer = new DatabaseSync(at.path);
    newer.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    newer.close();
    throws(() => new PipelineStore(at.path), /as a newer version of this software made it/);
  }
  await using at = await file();
  await Deno.writeTextFile(at.path, "no database at all, but a text of some length".repeat(30));
  throws(() => new PipelineStore(at.path), /^ConfigurationError: Cannot keep pipelines in .*: /);
});

Deno.test("PipelineStore keeps what was answered when the server is killed amid registering", async () => {
  await using at = await file();
  const child = await startChild(0, "10", at.path);
  await using executor = new RemoteExecutor({ port: child.port, retry: false });
  const answered: string[] = [];
  const registering = (async () => {
    for (let count = 0; true; count++) {
      await executor.pipelines.register(
        `version: 1\nname: p${count}\nnodes: [{ type: PassThrough }]`,
      );
      answered.push(`p${count}`);
    }
  })().catch((error) => error);
  await until(() => answered.length >= 20, "20 registrations");
  await child.kill();
  ok(await registering instanceof RemoteError);
  using store = new PipelineStore(at.path);
  const kept = new Set(store.find({}).map(({ name }) => name));
  deepEqual(answered.filter((name) => !kept.has(name)), []);
  ok(kept.size <= answered.length + 1);
  const database = new DatabaseSync(at.path);
  equal(database.prepare("PRAGMA integrity_check").get()!["integrity_check"], "ok");
  database.close();
});

Deno.test("A session of a registered pipeline goes on in the version that it began, after its server was killed", async () => {
  await using at = await file();
  const first = await startChild(0, "10", at.path);
  await using executor = new RemoteExecutor({ port: first.port, retry: { attempts: 30 } });
  const { pipelines } = executor;
  await pipelines.register(new Pipeline([new Numbered()]), { name: "numbers" });
  const count = 1_500;
  const outputs: { count: number; input: number }[] = [];
  let again: Awaited<ReturnType<typeof startChild>> | undefined;
  const source = ReadableStream.from((async function* () {
    for (let input = 0; input < count; input++) {
      if (input % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (input === 700) {
        await pipelines.register(
          "version: 1\nname: numbers\nnodes: [{ type: PassThrough }]",
        );
        await first.kill();
        again = await startChild(first.port, "10", at.path);
      }
      yield input;
    }
  })());
  for await (const output of pipelines.run("numbers", source)) outputs.push(output as never);
  deepEqual(outputs, Array.from({ length: count }, (_, input) => ({ count: input, input })));
  const versions = await pipelines.list();
  equal(versions.length, 2);
  deepEqual(versions.map(({ runs, isNewest }) => [runs, isNewest]), [[0, true], [1, false]]);
  await again![Symbol.asyncDispose]();
});

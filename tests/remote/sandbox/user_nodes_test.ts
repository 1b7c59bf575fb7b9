import assert from "node:assert/strict";
import {
  AudioFrame,
  type Executor,
  Marker,
  NodeError,
  PassThrough,
  Pipeline,
  RemoteExecutor,
} from "@remotemedia/sdk";
import { SandboxExecutor } from "../../../remote/sandbox/mod.ts";
import { serve } from "../../../remote/server/mod.ts";
import {
  Double,
  Endless,
  Gain,
  hidden,
  Pid,
  Repeat,
  Slow,
  Spin,
  Sum,
  ThrowAt,
  Witness,
} from "./_user_nodes.ts";

/** The same things must hold in a sandbox of this machine and in one of a server. */
const places: Record<string, () => Promise<{ executor: Executor } & AsyncDisposable>> = {
  async "SandboxExecutor"() {
    const executor = new SandboxExecutor();
    await executor.warmUp();
    return { executor, [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose]() };
  },
  async "RemoteExecutor with user code"() {
    const server = await serve({ port: 0 });
    const executor = new RemoteExecutor({ port: server.port });
    return {
      executor,
      async [Symbol.asyncDispose]() {
        await executor[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

for (const [name, open] of Object.entries(places)) {
  const test = (what: string, run: (executor: Executor) => Promise<void>) => {
    Deno.test(`${name} ${what}`, async () => {
      await using place = await open();
      await run(place.executor);
    });
  };

  test("runs user nodes as one segment", async (executor) => {
    const pipeline = new Pipeline([new Double({}, { executor }), new Repeat({}, { executor })]);
    assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2])), [2, 2, 4, 4, 4, 4]);
    assert.deepEqual(pipeline.stats().map(({ in: taken, out }) => [taken, out]), [[2, 2], [2, 6]]);
  });

  test("runs them in another process, not with this one's rights", async (executor) => {
    const [pid] = await Array.fromAsync(new Pipeline([new Pid({}, { executor })]).run([0]));
    assert.notEqual(pid, Deno.pid);
  });

  test("flushes", async (executor) => {
    const pipeline = new Pipeline([new Sum({}, { executor }), new Double()]);
    assert.deepEqual(await Array.fromAsync(pipeline.run([1, 2, 3])), [12]);
  });

  test("carries frames and markers in their order, and Node is Node", async (executor) => {
    const frame = new AudioFrame({
      data: new Float32Array([0.25]),
      sampleRate: 8000,
      timestamp: 7,
    });
    const pipeline = new Pipeline([new Witness({}, { executor })]);
    const marker = new Marker({ name: "half", data: { a: 1 } });
    const [first, second, third] = await Array.fromAsync(pipeline.run([frame, marker, 5]));
    assert.equal(first, "true, true, 0");
    assert.ok((second as unknown) instanceof Marker);
    assert.deepEqual((second as unknown as Marker).data, { a: 1 });
    assert.equal(third, "false, true, 1");
    const [louder] = await Array.fromAsync(
      new Pipeline([new Gain({ by: 2 }, { executor })]).run([frame]),
    );
    assert.ok(louder instanceof AudioFrame);
    assert.deepEqual([...louder.data], [0.5]);
    assert.equal(louder.timestamp, 7);
  });

  test("tells node, chunk, and the user's own file and line of an error", async (executor) => {
    const pipeline = new Pipeline([new ThrowAt({ at: 2 }, { executor })]);
    const outputs: number[] = [];
    const read = async () => {
      for await (const output of pipeline.run([1, 2, 3])) outputs.push(output);
    };
    const error = await read().then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof NodeError, String(error));
    assert.deepEqual([error.node, error.phase, error.chunkIndex], ["ThrowAt", "process", 1]);
    assert.ok(error.cause instanceof RangeError);
    assert.equal(error.cause.message, "no 2");
    const url = new URL("./_user_nodes.ts", import.meta.url);
    const source = (await Deno.readTextFile(url)).split("\n");
    const line = source.findIndex((text) => text.includes("throw new RangeError")) + 1;
    assert.ok(error.cause.stack!.includes(`${url.href}:${line}:`), String(error.cause.stack));
    assert.deepEqual(outputs, [1]);
  });

  test("holds a source back", async (executor) => {
    let produced = 0;
    const source = new ReadableStream<number>({
      pull(controller) {
        controller.enqueue(produced++);
      },
    }, { highWaterMark: 0 });
    const pipeline = new Pipeline([new Double({}, { executor })]);
    const reader = pipeline.run(source).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const held = produced;
    assert.ok(held <= pipeline.capacity + 200, `it produced ${held}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(produced, held);
    await reader.cancel("enough");
  });

  test("ends an endless generator when its reader stops", async (executor) => {
    const pipeline = new Pipeline([new Endless({}, { executor })]);
    const outputs: number[] = [];
    for await (const output of pipeline.run([0])) {
      outputs.push(output);
      if (outputs.length === 5) break;
    }
    assert.deepEqual(outputs, [0, 1, 2, 3, 4]);
  });

  test("drops what is under way at an interrupt, and goes on", async (executor) => {
    const pipeline = new Pipeline([new Slow({ ms: 20 }, { executor })]);
    const writer = pipeline.writable.getWriter();
    const reader = pipeline.readable.getReader();
    for (let index = 0; index < 20; index++) void writer.write(index);
    const { value: first } = await reader.read();
    assert.equal(first, 0);
    await pipeline.interrupt();
    void writer.write(100);
    void writer.close();
    const rest: number[] = [];
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      rest.push(step.value as number);
    }
    assert.equal(rest.at(-1), 100);
    assert.ok(rest.length <= 2, `it gave ${rest}`);
  });

  test("mixes user code with nodes of its own", async (executor) => {
    const nodes = [
      new Double({}, { executor }),
      new PassThrough<number>(),
      new Double({}, { executor }),
    ] as const;
    assert.deepEqual(await Array.fromAsync(new Pipeline(nodes).run([1])), [4]);
  });

  test("refuses a class that its module does not export", async (executor) => {
    const run = Array.fromAsync(new Pipeline([hidden({ executor })]).run([1]));
    await assert.rejects(run, /exports no node class Hidden/);
  });
}

Deno.test("RemoteExecutor puts built-in nodes and user code into one session", async () => {
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({ port: server.port });
  const nodes = [
    new PassThrough<number>({}, { executor }),
    new Double({}, { executor }),
    new PassThrough<number>({}, { executor }),
  ] as const;
  assert.deepEqual(await Array.fromAsync(new Pipeline(nodes).run([1, 2])), [2, 4]);
});

Deno.test("RemoteExecutor is told that a server takes no user code", async () => {
  await using server = await serve({ port: 0, userCode: false });
  await using executor = new RemoteExecutor({ port: server.port });
  const run = Array.fromAsync(new Pipeline([new Double({}, { executor })]).run([1]));
  await assert.rejects(run, /does not offer/);
});

Deno.test("RemoteExecutor is told why user code was ended, and its server goes on", async () => {
  await using server = await serve({ port: 0, userCode: { limits: { cpuMs: 300 } } });
  await using executor = new RemoteExecutor({ port: server.port });
  const run = Array.fromAsync(new Pipeline([new Spin({}, { executor })]).run([1]));
  await assert.rejects(run, { name: "SandboxError", reason: "cpu" });
  const again = Array.fromAsync(new Pipeline([new Double({}, { executor })]).run([1]));
  assert.deepEqual(await again, [2]);
});

Deno.test("RemoteExecutor.execute runs user code between built-in nodes, and tells where it threw", async () => {
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({ port: server.port });
  const nodes = [new PassThrough<number>(), new Repeat(), new Sum(), new PassThrough<number>()];
  assert.deepEqual(await executor.execute(nodes, [1, 2, 3]), [14]);
  await assert.rejects(
    () => executor.execute([new Double(), new ThrowAt({ at: 4 })], [1, 2]),
    (error) => {
      assert.ok(error instanceof NodeError && error.cause instanceof RangeError);
      assert.deepEqual([error.node, error.chunkIndex], ["ThrowAt", 1]);
      assert.match(error.cause.stack!, /sandbox\/_user_nodes\.ts:\d+:\d+/);
      return true;
    },
  );
  await using closed = await serve({ port: 0, userCode: false });
  await using refused = new RemoteExecutor({ port: closed.port });
  await assert.rejects(() => refused.execute([new Double()], [1]), /does not offer/);
});

Deno.test("RemoteExecutor uploads a bundle once", async () => {
  const bundleDirectory = await Deno.makeTempDir();
  try {
    await using server = await serve({ port: 0, userCode: { bundleDirectory } });
    await using executor = new RemoteExecutor({ port: server.port });
    for (let time = 0; time < 3; time++) {
      const run = Array.fromAsync(new Pipeline([new Double({}, { executor })]).run([time]));
      assert.deepEqual(await run, [2 * time]);
    }
    assert.equal([...Deno.readDirSync(bundleDirectory)].length, 1);
  } finally {
    await Deno.remove(bundleDirectory, { recursive: true });
  }
});

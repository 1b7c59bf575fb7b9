import assert from "node:assert/strict";
import {
  type AnyNode,
  type Executor,
  map,
  NodeError,
  Pipeline,
  RemoteExecutor,
  SandboxExecutor,
  ThreadExecutor,
} from "@remotemedia/sdk";
import { Barrier } from "../../../core/stage/barrier.ts";
import { serve } from "../../../remote/server/mod.ts";
import { innermostProcess } from "../../../remote/sandbox/host/process_usage.ts";
import { startChild } from "../_child_server.ts";
import { children } from "./_leaks.ts";
import { Numbered, testNodes } from "../_nodes.ts";
import { marked, Numbering } from "./_more_stateful_nodes.ts";
import { Ledger, Rooted, Secretive, SpinAt, StumbleAt, Wrap } from "./_stateful_nodes.ts";

/** Built-in nodes and user code of two modules, with and without states. */
function mixedLine(executor?: Executor): AnyNode[] {
  const config = executor === undefined ? {} : { executor };
  return [
    new Numbered({}, { ...config, name: "before" }),
    new Ledger({}, config),
    new Wrap({}, config),
    new Numbering({}, config),
    new Ledger({}, { ...config, name: "after" }),
    map(marked, { ...config, module: Numbering.module, export: "marked" }),
    new Numbered({}, { ...config, name: "behind" }),
  ] as AnyNode[];
}

function run(nodes: readonly AnyNode[], source: unknown, states?: Map<string, unknown>) {
  const pipeline = new Pipeline(nodes as never) as unknown as Pipeline;
  if (states !== undefined) pipeline.restore(states);
  return pipeline.run(source as never) as ReadableStream<unknown>;
}

/** Numbers that come one by one, until `stop` says so or there were enough. */
async function* paced(count: number): AsyncGenerator<number> {
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield index;
  }
}

/** The numbers of processes that values hold. */
function pidsIn(value: unknown): number[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "pid" ? [inner as number] : pidsIn(inner)
  );
}

/** Kills a process, and tells whether it was there. */
function killProcess(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The same without the numbers of processes. */
function withoutPids(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => key === "pid" ? undefined : inner));
}

const COUNT = 400;
const inputs = Array.from({ length: COUNT }, (_, index) => index);

Deno.test("RemoteExecutor goes on with user code whose server is killed, on another server", async () => {
  const expected = await Array.fromAsync(run(mixedLine(), inputs));
  const children = await Promise.all([startChild(), startChild()]);
  try {
    await using executor = new RemoteExecutor({
      endpoints: children.map(({ port }) => ({ port })),
      retry: { attempts: 20, minDelayMs: 20, maxDelayMs: 200 },
      snapshotIntervalMs: 20,
    });
    const outputs: unknown[] = [];
    const processes = new Set<number>();
    for await (const output of run(mixedLine(executor), paced(COUNT))) {
      outputs.push(output);
      for (const pid of pidsIn(output)) processes.add(pid);
      if (outputs.length !== 150) continue;
      const states = await executor.status();
      const serving = states.findIndex((state) => state.up && state.sessions > 0);
      await children[serving]!.kill();
    }
    assert.deepEqual(withoutPids(outputs), withoutPids(expected));
    // of four sandboxes, two on each server tell their numbers
    assert.equal(processes.size, 4);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
});

Deno.test("RemoteExecutor goes on with user code whose server is killed, on the same one", async () => {
  const first = await startChild();
  let again: ReturnType<typeof startChild> | undefined;
  await using executor = new RemoteExecutor({
    port: first.port,
    retry: { attempts: 60, minDelayMs: 20, maxDelayMs: 200 },
    snapshotIntervalMs: 20,
  });
  const counts: number[] = [];
  try {
    for await (const output of run([new Ledger({}, { executor })] as AnyNode[], paced(COUNT))) {
      counts.push((output as { count: number }).count);
      if (counts.length === 200) again = first.kill().then(() => startChild(first.port));
    }
  } finally {
    await first.kill();
    await (await again)?.kill();
  }
  assert.deepEqual(counts, inputs.map((index) => index + 1));
});

Deno.test("RemoteExecutor goes on with user code whose sandbox is killed, again and again", async () => {
  const expected = await Array.fromAsync(run(mixedLine(), inputs));
  await using server = await serve({ port: 0, nodes: testNodes });
  await using executor = new RemoteExecutor({
    port: server.port,
    retry: { attempts: 20, minDelayMs: 10, maxDelayMs: 100 },
    snapshotIntervalMs: 20,
  });
  const outputs: unknown[] = [];
  const killed = new Set<number>();
  for await (const output of run(mixedLine(executor), paced(COUNT))) {
    outputs.push(output);
    if (outputs.length < 100 * (killed.size + 1)) continue;
    const pids = pidsIn(output);
    const pid = pids[killed.size % pids.length]!; // each of the sandboxes in turn
    if (killed.has(pid) || !killProcess(pid)) continue; // what it gave before its end still comes
    killed.add(pid);
  }
  assert.ok(killed.size >= 3, `only ${killed.size} were killed`);
  assert.deepEqual(withoutPids(outputs), withoutPids(expected));
  const next = run([new Ledger({}, { executor })] as AnyNode[], [7]);
  assert.equal((await Array.fromAsync(next) as { count: number }[])[0]!.count, 1);
});

Deno.test("RemoteExecutor goes on with user code under bwrap, whichever of its processes is killed", async () => {
  const expected = await Array.fromAsync(run([new Ledger()] as AnyNode[], inputs));
  const before = new Set(children());
  await using server = await serve({ port: 0, userCode: { isolation: "bwrap" } });
  await using executor = new RemoteExecutor({
    port: server.port,
    retry: { attempts: 20, minDelayMs: 10, maxDelayMs: 100 },
    snapshotIntervalMs: 20,
  });
  const outputs: unknown[] = [];
  let kills = 0;
  for await (const output of run([new Ledger({}, { executor })] as AnyNode[], paced(COUNT))) {
    outputs.push(output);
    if (outputs.length < 100 * (kills + 1)) continue;
    kills++;
    for (const pid of children()) { // those that wait for work as well
      if (!before.has(pid)) killProcess(kills % 2 === 0 ? pid : innermostProcess(pid));
    }
  }
  assert.ok(kills >= 3, `only ${kills} were killed`);
  assert.deepEqual(withoutPids(outputs), withoutPids(expected));
});

Deno.test("RemoteExecutor tells a SandboxError where a killed sandbox held a state that cannot move", async () => {
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({ port: server.port });
  let seen = 0;
  const failed = (async () => {
    for await (const output of run([new Rooted({}, { executor })] as AnyNode[], paced(10_000))) {
      if (++seen === 30) Deno.kill((output as { pid: number }).pid, "SIGKILL");
    }
  })();
  await assert.rejects(failed, { name: "SandboxError", reason: "crash", retryable: true });
  const next = run([new Rooted({}, { executor })] as AnyNode[], [7]);
  assert.equal((await Array.fromAsync(next) as { count: number }[])[0]!.count, 1);
});

Deno.test("RemoteExecutor does not go on where user code itself is at fault", async () => {
  await using server = await serve({ port: 0, userCode: { limits: { cpuMs: 500 } } });
  // with so many tries and such waits, it would not end within the test's time
  const retry = { attempts: 100, minDelayMs: 5_000, maxDelayMs: 5_000 };
  await using executor = new RemoteExecutor({ port: server.port, retry });
  const wrongs: [AnyNode, object][] = [
    [new SpinAt({}, { executor }) as AnyNode, { name: "SandboxError", reason: "cpu" }],
    [new StumbleAt({}, { executor }) as AnyNode, { name: "SandboxError", reason: "crash" }],
  ];
  for (const [node, what] of wrongs) {
    const told = Array.fromAsync(run([node], paced(10_000)));
    await assert.rejects(told, { ...what, retryable: false });
  }
});

Deno.test("RemoteExecutor names the node whose state cannot travel", async () => {
  await using server = await serve({ port: 0 });
  await using executor = new RemoteExecutor({ port: server.port, snapshotIntervalMs: 0 });
  const told = Array.fromAsync(run([new Secretive({}, { executor })] as AnyNode[], paced(10_000)));
  await assert.rejects(told, (error) => {
    assert.ok(error instanceof NodeError);
    assert.deepEqual([error.node, error.phase], ["Secretive", "snapshot"]);
    assert.match(error.message, /keep\.callback/);
    return true;
  });
});

/** Where states can be brought to and fetched from with the engine's own means. */
const places: Record<string, () => Promise<Executor & AsyncDisposable>> = {
  SandboxExecutor: () => Promise.resolve(new SandboxExecutor()),
  ThreadExecutor: () => Promise.resolve(new ThreadExecutor({ threads: 2 })),
  async RemoteExecutor() {
    const server = await serve({ port: 0, nodes: testNodes });
    const executor = new RemoteExecutor({ port: server.port });
    return Object.assign(executor, {
      async [Symbol.asyncDispose]() {
        await RemoteExecutor.prototype[Symbol.asyncDispose].call(executor);
        await server[Symbol.asyncDispose]();
      },
    });
  },
};

for (const [name, open] of Object.entries(places)) {
  Deno.test(`${name} lets user code go on from states of another run`, async () => {
    await using executor = await open();
    const states = new Map<string, unknown>([
      ["Ledger", new Map([["count", 40], ["even", 20]])],
      ["Numbering", 7],
      ["nobody", 1],
    ]);
    const nodes = [new Ledger({}, { executor }), new Numbering({}, { executor })] as AnyNode[];
    assert.deepEqual(withoutPids(await Array.fromAsync(run(nodes, ["a", "b"], states))), [
      { number: 7, input: { input: "a", count: 41, even: 20 } },
      { number: 8, input: { input: "b", count: 42, even: 21 } },
    ]);
  });

  if (name === "RemoteExecutor") continue; // its own protocol takes the barriers

  Deno.test(`${name} gives states that belong to one point of the stream`, async () => {
    await using executor = await open();
    const nodes = () =>
      [
        new Ledger({}, { executor }),
        new Wrap({}, { executor }),
        new Numbering({}, { executor }),
      ] as AnyNode[];
    const whole = await Array.fromAsync(run(nodes(), inputs.slice(0, 60)));
    const barrier = new Barrier(40, { snapshot: true });
    const source = [...inputs.slice(0, 40), barrier, ...inputs.slice(40, 60)];
    const first: unknown[] = [];
    for await (const output of run(nodes(), source)) {
      if (output === barrier) break;
      first.push(output);
    }
    assert.deepEqual([...barrier.states.keys()].toSorted(), ["Ledger", "Numbering"]);
    const rest = await Array.fromAsync(run(nodes(), inputs.slice(40, 60), barrier.states));
    assert.deepEqual(withoutPids([...first, ...rest]), withoutPids(whole));
  });
}

for (const [name, open] of Object.entries(places)) {
  Deno.test(`${name} ends at once where a reader leaves outputs that are all there`, async () => {
    await using executor = await open();
    const took: number[] = [];
    for (const count of [3, 40, 59]) {
      const start = performance.now();
      let read = 0;
      for await (const _ of run([new Wrap({}, { executor })] as AnyNode[], inputs.slice(0, 60))) {
        if (++read === count) break;
      }
      took.push(performance.now() - start);
    }
    // one that is not told of its end waits for five seconds
    assert.ok(Math.max(...took) < 4_500, `took ${took} ms`);
  });
}

Deno.test("ThreadExecutor takes no state of a node that runs in several threads at once", async () => {
  await using executor = new ThreadExecutor({ threads: 2 });
  const node = () => [new Wrap({}, { executor, concurrency: 2 })] as AnyNode[];
  assert.throws(
    () => run(node(), [1], new Map([["Wrap", 1]])),
    /Cannot restore node "Wrap" as it runs in several threads at once/,
  );
  assert.equal((await Array.fromAsync(run(node(), [1, 2], new Map([["other", 1]])))).length, 2);
});

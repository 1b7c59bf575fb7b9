import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  Graph,
  GraphNode,
  Marker,
  Node,
  NodeError,
  Pipeline,
  PipelineError,
} from "../../../core/mod.ts";
import type { BranchPolicy, Executor, NodeSpec } from "../../../core/mod.ts";
import { connect } from "../../../core/stage/connect.ts";
import { Add, collect, counting, ThrowAt, Wait, Witness } from "../_nodes.ts";

interface Timed {
  from: string;
  timestamp: number;
}

/** Names the way that a chunk took. */
class From extends Node<number, Timed, { name: string; late: number }> {
  process(input: number): Timed {
    return { from: this.options.name!, timestamp: input + (this.options.late ?? 0) };
  }
}

/** Lets nothing through. */
class Nothing extends Node<number, never> {
  process(): void {}
}

class Pass extends Node<unknown, unknown> {
  process(input: unknown): unknown {
    return input;
  }
}

/** Runs nodes here, and writes down which it was given. */
class Elsewhere implements Executor {
  readonly name = "elsewhere";
  readonly opened: string[][] = [];
  open(nodes: readonly NodeSpec[]) {
    this.opened.push(nodes.map(({ name }) => name));
    return connect(nodes.map(() => new Add({ by: 1 })));
  }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

Deno.test("Graph gives each chunk to every branch and merges what they give", async () => {
  const graph = new Graph<number, number>({
    nodes: { start: new Add({ by: 0 }), one: new Add({ by: 1 }), ten: new Wait({ ms: 0 }) },
    connections: [{ from: "start", to: "one" }, { from: "start", to: "ten" }],
  });
  const inputs = Array.from({ length: 500 }, (_, index) => index);
  const outputs = await Array.fromAsync(graph.run(inputs));
  deepEqual(
    outputs.toSorted((a, b) => a - b),
    [
      ...inputs,
      ...inputs.map((each) => each + 1),
    ].toSorted((a, b) => a - b),
  );
  deepEqual(graph.stats().map(({ name, in: count }) => [name, count]), [
    ["start", 500],
    ["one", 500],
    ["ten", 500],
  ]);
});

Deno.test("Graph of one line is like a pipeline, and may have several inputs", async () => {
  const line = new Graph({
    nodes: { b: new Add({ by: 2 }), a: new Add({ by: 1 }) },
    connections: [{ from: "a", to: "b" }],
  });
  deepEqual(await Array.fromAsync(line.run([1, 2])), [4, 5]);
  const two = new Graph<number, number>({ nodes: { a: new Add(), b: new Add() }, connections: [] });
  deepEqual((await Array.fromAsync(two.run([1]))).length, 2);
});

Deno.test("Graph refuses a cycle, and names it", () => {
  const nodes = () => ({ a: new Add(), b: new Add(), c: new Add(), d: new Add() });
  throws(() =>
    new Graph({
      nodes: nodes(),
      connections: [
        { from: "a", to: "b" },
        { from: "b", to: "c" },
        { from: "c", to: "d" },
        { from: "d", to: "b" },
      ],
    }), { name: "PipelineError", message: "Cannot build graph with a cycle: b -> c -> d -> b" });
});

Deno.test("Graph refuses what is not connected, and names that are not there", () => {
  const nodes = () => ({ vad: new Add(), speech: new Add(), levels: new Add() });
  const build = (options: Partial<ConstructorParameters<typeof Graph>[0]>) => () =>
    new Graph({ nodes: nodes(), connections: [], ...options });
  const line = [{ from: "vad", to: "speech" }, { from: "speech", to: "levels" }];
  throws(build({ connections: [{ from: "vad", to: "speach" }] }), /did you mean speech\?/);
  throws(build({ connections: [...line, line[0]!] }), /Cannot connect vad to speech twice/);
  throws(build({ connections: line.slice(0, 1), input: "vad" }), /nothing comes to node levels/);
  throws(build({ connections: line, output: "speech" }), /nobody takes what node levels gives/);
  throws(build({ connections: line, output: "levls" }), /did you mean levels\?/);
  throws(build({ nodes: {} }), /must have a node/);
  throws(build({ connections: line, merge: { x: {} } }), /no such node/);
  const policy = "sometimes" as BranchPolicy;
  throws(build({ connections: [{ ...line[0]!, policy }, line[1]!] }), TypeError);
  throws(build({ connections: [{ ...line[0]!, size: 0 }, line[1]!] }), RangeError);
});

for (const policy of ["drop-oldest", "drop-newest"] as const) {
  Deno.test(`Graph with ${policy} does not hold up the fast branch for the slow one`, async () => {
    const graph = new Graph<number, number>({
      nodes: { start: new Add({ by: 0 }), fast: new Add({ by: 1000 }), slow: new Wait({ ms: 5 }) },
      connections: [{ from: "start", to: "fast" }, { from: "start", to: "slow", policy, size: 4 }],
    });
    const inputs = Array.from({ length: 300 }, (_, index) => index);
    const outputs = await Array.fromAsync(graph.run(inputs));
    const slow = outputs.filter((value) => value < 1000);
    equal(outputs.length - slow.length, 300);
    ok(slow.length < 300, `${slow.length} got through`);
    const stats = graph.stats().find(({ name }) => name === "slow")!;
    equal(stats.dropped + slow.length, 300);
    equal(slow.includes(299), policy === "drop-oldest");
    equal(slow.includes(0), true);
  });
}

Deno.test("Graph with sample takes one of every so many chunks, whatever the speed", async () => {
  const graph = new Graph<number, number>({
    nodes: { start: new Add({ by: 0 }), all: new Nothing(), some: new Pass() },
    connections: [
      { from: "start", to: "all" },
      { from: "start", to: "some", policy: "sample", every: 10 },
    ],
  });
  const inputs = Array.from({ length: 95 }, (_, index) => index);
  deepEqual(await Array.fromAsync(graph.run(inputs)), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
});

Deno.test("Graph holds no more than its capacity when nobody reads", async () => {
  const graph = new Graph<number, number>({
    nodes: { start: new Add(), a: new Add(), b: new Wait(), end: new Add() },
    connections: [
      { from: "start", to: "a" },
      { from: "start", to: "b", size: 64 },
      { from: "a", to: "end" },
      { from: "b", to: "end" },
    ],
  });
  const source = counting();
  const reader = graph.run(source.stream).getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  ok(source.produced() > 5);
  ok(source.produced() <= graph.capacity + 2, `${source.produced()} of ${graph.capacity}`);
  await reader.cancel("enough");
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(source.cancelled(), "enough");
});

Deno.test("Graph merges by timestamp", async () => {
  const graph = new Graph<number, Timed>({
    nodes: {
      start: new Add({ by: 0 }),
      early: new From({ name: "early", late: 0 }),
      wait: new Wait({ ms: 1 }),
      late: new From({ name: "late", late: 15 }),
      end: new Pass(),
    },
    connections: [
      { from: "start", to: "early" },
      { from: "start", to: "wait" },
      { from: "wait", to: "late" },
      { from: "early", to: "end" },
      { from: "late", to: "end" },
    ],
    merge: { end: { order: "timestamp", maxWaitMs: Infinity } },
  });
  const inputs = Array.from({ length: 100 }, (_, index) => 10 * index);
  const outputs = await Array.fromAsync(graph.run(inputs));
  equal(outputs.length, 200);
  const times = outputs.map(({ timestamp }) => timestamp);
  deepEqual(times, times.toSorted((a, b) => a - b));
});

Deno.test("Graph merges its outputs by timestamp where it is told to", async () => {
  const graph = new Graph<number, Timed>({
    nodes: {
      start: new Add({ by: 0 }),
      early: new From({ name: "early", late: 0 }),
      wait: new Wait({ ms: 1 }),
      late: new From({ name: "late", late: 15 }),
    },
    connections: [
      { from: "start", to: "early" },
      { from: "start", to: "wait" },
      { from: "wait", to: "late" },
    ],
    outputMerge: { order: "timestamp", maxWaitMs: Infinity },
  });
  const inputs = Array.from({ length: 100 }, (_, index) => 10 * index);
  const outputs = await Array.fromAsync(graph.run(inputs));
  equal(outputs.length, 200);
  const times = outputs.map(({ timestamp }) => timestamp);
  deepEqual(times, times.toSorted((a, b) => a - b));
  throws(
    () => new Graph({ nodes: { a: new Pass() }, connections: [], outputMerge: { maxWaitMs: -1 } }),
    /^RangeError: Cannot merge outputs as maxWaitMs must not be negative: current value is -1$/,
  );
});

Deno.test("Graph's merge by timestamp goes on without a silent branch, and drops nothing", async () => {
  const graph = new Graph<number, Timed>({
    nodes: {
      start: new Add({ by: 0 }),
      silent: new Nothing(),
      speaks: new From({ name: "speaks" }),
      end: new Pass(),
    },
    connections: [
      { from: "start", to: "silent" },
      { from: "start", to: "speaks" },
      { from: "silent", to: "end" },
      { from: "speaks", to: "end" },
    ],
    merge: { end: { order: "timestamp", maxWaitMs: 50 } },
  });
  const inputs = Array.from({ length: 300 }, (_, index) => index);
  const start = performance.now();
  equal((await Array.fromAsync(graph.run(inputs))).length, 300);
  ok(performance.now() - start < 2_000, "waited for the silent branch again and again");
});

Deno.test("Graph fails with the error of any node, closes all others, cancels the source", async () => {
  const witness = new Witness();
  const graph = new Graph<number, number>({
    nodes: { start: new Add({ by: 0 }), witness, bad: new ThrowAt({ at: 20 }) },
    connections: [{ from: "start", to: "witness" }, { from: "start", to: "bad" }],
  });
  const source = counting();
  const { error } = await collect(graph.run(source.stream));
  ok(error instanceof NodeError);
  equal(error.message, 'Node "bad" failed on chunk 20: no 20');
  await graph.stop(undefined);
  ok(witness.calls.at(-1)!.startsWith("close NodeError"), witness.calls.at(-1)!);
  equal(source.cancelled(), error);
});

Deno.test("Graph's run ends by its signal, and runs once", async () => {
  const graph = new Graph<number, number>({
    nodes: { a: new Add(), b: new Wait() },
    connections: [{ from: "a", to: "b" }],
  });
  const control = new AbortController();
  const run = collect(graph.run(counting().stream, { signal: control.signal }));
  throws(() => graph.run([]), { name: "PipelineError" });
  setTimeout(() => control.abort(new Error("late")), 20);
  equal(((await run).error as Error).message, "late");
});

Deno.test("Graph passes markers along every branch, in their place, through queues that drop", async () => {
  const graph = new Graph<number, number>({
    nodes: { start: new Add({ by: 0 }), a: new Wait({ ms: 1 }), b: new Nothing() },
    connections: [
      { from: "start", to: "a", policy: "drop-oldest", size: 1 },
      { from: "start", to: "b", policy: "sample", every: 50 },
    ],
  });
  const inputs = Array.from(
    { length: 200 },
    (_, index) => index % 10 === 9 ? new Marker({ name: `${index}` }) : index,
  );
  const outputs = await Array.fromAsync(graph.run(inputs) as ReadableStream<unknown>);
  equal(outputs.filter((output) => output instanceof Marker).length, 40);
});

Deno.test("Graph's interrupt drops all that is on its way, and nothing that is written after it", async () => {
  for (let round = 0; round < 8; round++) {
    const graph = new Graph<number, number>({
      nodes: {
        start: new Add({ by: 0 }),
        a: new Wait({ ms: 1 }),
        b: new Add({ by: 0 }),
        end: new Wait({ ms: 0 }),
      },
      connections: [
        { from: "start", to: "a", size: 8 },
        { from: "start", to: "b", policy: round % 2 === 0 ? "block" : "drop-newest", size: 8 },
        { from: "a", to: "end" },
        { from: "b", to: "end" },
      ],
    });
    const outputs: number[] = [];
    let interrupted = false;
    const wrong: number[] = [];
    const reading = (async () => {
      for await (const output of graph.readable) {
        outputs.push(output);
        if (interrupted && output < 1000) wrong.push(output);
      }
    })();
    const writer = graph.writable.getWriter();
    for (let value = 0; value < 60; value++) await writer.write(value);
    const after = [1000, 1001, 1002];
    const done = graph.interrupt();
    const written = after.map((value) => writer.write(value));
    await done;
    interrupted = true;
    await Promise.all([...written, writer.close()]);
    await reading;
    deepEqual(wrong, []);
    deepEqual(outputs.filter((value) => value >= 1000).toSorted(), [
      1000,
      1000,
      1001,
      1001,
      1002,
      1002,
    ]);
  }
});

Deno.test("Graph keeps what a node gives for an interrupt", async () => {
  class Says extends Add {
    override onInterrupt(): number {
      return 77;
    }
  }
  const graph = new Graph<number, number>({
    nodes: { start: new Says({ by: 0 }), a: new Add({ by: 0 }), b: new Add({ by: 0 }) },
    connections: [{ from: "start", to: "a" }, { from: "start", to: "b" }],
  });
  const outputs = Array.fromAsync(graph.readable);
  const writer = graph.writable.getWriter();
  await writer.write(1);
  await graph.interrupt();
  await writer.close();
  deepEqual((await outputs).filter((value) => value === 77), [77, 77]);
});

Deno.test("Graph sends neighbours with the same executor there as one segment", async () => {
  const executor = new Elsewhere();
  const there = () => new Add({}, { executor });
  const graph = new Graph<number, number>({
    nodes: { start: new Add(), a: there(), b: there(), c: there(), d: there(), end: there() },
    connections: [
      { from: "start", to: "a" },
      { from: "a", to: "b" },
      { from: "start", to: "c" },
      { from: "b", to: "end" },
      { from: "c", to: "d" },
      { from: "d", to: "end" },
    ],
  });
  deepEqual(executor.opened.toSorted(), [["a", "b"], ["c", "d"], ["end"]]);
  equal((await Array.fromAsync(graph.run([1]))).length, 2);
});

Deno.test("GraphNode is a node of a pipeline, and of a graph", async () => {
  const inner = () =>
    new Graph<number, number>({
      nodes: { a: new Add({ by: 1 }), b: new Add({ by: 10 }), c: new Add({ by: 100 }) },
      connections: [{ from: "a", to: "b" }, { from: "a", to: "c" }],
    });
  const pipeline = new Pipeline([new Add({ by: 0 }), new GraphNode(inner()), new Add({ by: 0 })]);
  equal(sum(await Array.fromAsync(pipeline.run([0, 0]))), 2 * (11 + 101));
  deepEqual(pipeline.stats().map(({ name }) => name), ["Add", "a", "b", "c", "Add-2"]);
  const outer = new Graph<number, number>({
    nodes: { x: new GraphNode(inner()), y: new Add({ by: 0 }) },
    connections: [{ from: "x", to: "y" }],
  });
  equal(sum(await Array.fromAsync(outer.run([0]))), 11 + 101);
  equal(outer.stats().length, 4);
});

Deno.test("Graph lets nodes go on from states, in nested graphs too, here and elsewhere", async () => {
  class Count extends Node<number, number> {
    #count = 0;
    process(input: number): number {
      return this.#count += input;
    }
    override snapshot(): number {
      return this.#count;
    }
    override restore(state: number): void {
      this.#count = state;
    }
  }
  const inner = new Graph<number, number>({
    nodes: { first: new Count(), hundreds: new Count() },
    connections: [{ from: "first", to: "hundreds" }],
  });
  const graph = () =>
    new Graph<number, number>({
      nodes: { start: new Count(), nested: new GraphNode(inner), other: new Count() },
      connections: [{ from: "start", to: "nested" }, { from: "start", to: "other" }],
    });
  const restored = graph();
  restored.restore(new Map(Object.entries({ start: 10, hundreds: 100, other: 1_000, nobody: 1 })));
  const { chunks } = await collect(restored.run([1]));
  // 11 comes out of start; other adds it to 1000, first to nothing, hundreds to 100
  deepEqual(chunks.toSorted((a, b) => Number(a) - Number(b)), [111, 1_011]);
  throws(() => restored.restore(new Map([["start", 1]])), PipelineError);
  const nowhere: Executor = {
    name: "nowhere",
    open: () => ({ ...connect([new Pass()]), restore: undefined }) as never,
  };
  const elsewhere = new Graph<number, number>({
    nodes: { far: new Count({}, { executor: nowhere }) },
    connections: [],
  });
  elsewhere.restore(new Map([["other", 1]]));
  throws(
    () => elsewhere.restore(new Map([["far", 1]])),
    /Cannot restore node "far" as its executor takes no states/,
  );
});

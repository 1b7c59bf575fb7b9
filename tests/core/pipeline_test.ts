import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import {
  Marker,
  Node,
  NodeError,
  type NodeOutput,
  Pipeline,
  PipelineError,
} from "../../core/mod.ts";
import { Add, collect, counting, Repeat, ThrowAt, Wait, Witness } from "./_nodes.ts";
import { Barrier } from "../../core/stage/barrier.ts";

Deno.test("Pipeline passes chunks through all its nodes in order", async () => {
  const pipeline = new Pipeline([new Add({ by: 1 }), new Wait(), new Add({ by: 10 })]);
  deepEqual(await collect(pipeline.run([1, 2, 3])), { chunks: [12, 13, 14], error: undefined });
});

Deno.test("Pipeline is a pair that streams pipe through", async () => {
  const source = ReadableStream.from([1, 2, 3]);
  const chunks = await Array.fromAsync(source.pipeThrough(new Pipeline([new Add(), new Add()])));
  deepEqual(chunks, [3, 4, 5]);
});

Deno.test("Pipeline gives what came before a failure, then a NodeError that names node and chunk", async () => {
  for (
    const make of [
      () => new Pipeline([new ThrowAt({ at: 3 })]),
      () => new Pipeline([new Add({ by: 0 }), new ThrowAt({ at: 3 }), new Add({ by: 0 })]),
      () => new Pipeline([new Wait(), new ThrowAt({ at: 3 }), new Wait()]),
      () => new Pipeline([new ThrowAt({ at: 3 }, { concurrency: 3 }), new Wait()]),
      () => new Pipeline([new Wait({}, { concurrency: 4 }), new ThrowAt({ at: 3 })]),
    ]
  ) {
    for (const piped of [false, true]) {
      const pipeline = make();
      const source = ReadableStream.from([0, 1, 2, 3, 4, 5]);
      const { chunks, error } = await collect(
        piped ? source.pipeThrough(pipeline) : pipeline.run(source),
      );
      deepEqual(chunks, [0, 1, 2]);
      ok(error instanceof NodeError);
      equal(error.node, "ThrowAt");
      equal(error.chunkIndex, 3);
      equal(error.message, 'Node "ThrowAt" failed on chunk 3: no 3');
      match(String((error.cause as Error).stack), /_nodes\.ts/);
    }
  }
});

Deno.test("Pipeline reads no more than its capacity ahead", async () => {
  const nodes = () =>
    [
      new Add(),
      new Wait(),
      new Add({}, { queue: { size: 5 } }),
      new Wait({}, { concurrency: 3 }),
    ] as const;
  for (const piped of [false, true]) {
    const pipeline = new Pipeline(nodes());
    const { stream, produced } = counting();
    const reader = (piped ? stream.pipeThrough(pipeline) : pipeline.run(stream)).getReader();
    for (let count = 0; count < 50; count++) await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    ok(pipeline.capacity < 20, `capacity ${pipeline.capacity}`);
    ok(produced() <= 50 + pipeline.capacity, `${produced()} for ${pipeline.capacity}`);
    await reader.cancel("enough");
  }
});

Deno.test("Pipeline of synchronous nodes reads nothing that is not wanted", async () => {
  const { stream, produced } = counting();
  const reader = new Pipeline([new Add(), new Add(), new Add()]).run(stream).getReader();
  for (let count = 0; count < 50; count++) await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(produced(), 50);
  await reader.cancel();
});

Deno.test("Pipeline ends a generator that nobody reads any more", async () => {
  const repeat = new Repeat();
  const reader = new Pipeline([repeat, new Add()]).run([1e9]).getReader();
  equal((await reader.read()).value, 1e9 + 1);
  await reader.cancel("enough");
  equal(repeat.ended, 1);
});

Deno.test("Pipeline lets a generator give only what is read", async () => {
  let given = 0;
  class Endless extends Node<number, number> {
    async *process(): AsyncGenerator<number> {
      while (true) yield given++;
    }
  }
  const reader = new Pipeline([new Endless(), new Add()]).run([0]).getReader();
  for (let count = 0; count < 50; count++) await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  ok(given <= 52, `${given}`);
  await reader.cancel();
});

Deno.test("Pipeline keeps the order of concurrent work and does it at the same time", async () => {
  let running = 0;
  let most = 0;
  class Uneven extends Node<number, number> {
    async process(input: number): Promise<number> {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, input % 3 === 0 ? 12 : 1));
      running--;
      return input;
    }
  }
  const input = Array.from({ length: 30 }, (_, index) => index);
  const pipeline = new Pipeline([new Uneven({}, { concurrency: 4 })]);
  deepEqual((await collect(pipeline.run(input))).chunks, input);
  equal(most, 4);
});

Deno.test("Pipeline lets neighbouring async nodes work at the same time", async () => {
  let running = 0;
  let most = 0;
  class Step extends Node<number, number> {
    async process(input: number): Promise<number> {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return input;
    }
  }
  await collect(new Pipeline([new Step(), new Step(), new Step()]).run([1, 2, 3, 4, 5, 6]));
  equal(most, 3);
});

Deno.test("Pipeline passes markers in their place, without process(), whatever the stage", async () => {
  class Drop extends Node<number, number> {
    process(): undefined {}
  }
  const [a, b] = [new Marker({ name: "a" }), new Marker({ name: "b" })];
  for (
    const make of [
      () => new Pipeline([new Witness()]),
      () => new Pipeline([new Wait(), new Witness()]),
      () => new Pipeline([new Wait({}, { concurrency: 4 }), new Witness()]),
      () =>
        new Pipeline([
          new Add({ by: 0 }, { queue: { size: 9, overflow: "drop-oldest" } }),
          new Witness(),
        ]),
    ]
  ) {
    const pipeline = make();
    const { chunks } = await collect(pipeline.run([1, a, 2, b]) as ReadableStream<number | Marker>);
    deepEqual(chunks, [1, a, 2, b]);
    const witness = pipeline.nodes.at(-1) as Witness;
    deepEqual(witness.calls.slice(1, 5), ["process 1", "marker a", "process 2", "marker b"]);
  }
  const dropped = new Pipeline([new Drop()]).run([1, a, 2, b]);
  deepEqual((await collect(dropped)).chunks as unknown[], [a, b]);
});

Deno.test("Pipeline opens once, flushes at the end and closes exactly once", async () => {
  for (const input of [[], [7]]) {
    const witness = new Witness({}, { name: "w" });
    await collect(new Pipeline([witness]).run(input));
    deepEqual(witness.calls, [
      "open w",
      ...input.map((chunk) => `process ${chunk}`),
      "flush",
      "close undefined",
    ]);
  }
});

Deno.test("Pipeline closes every node once with the reason of a failure", async () => {
  const [before, after] = [new Witness(), new Witness()];
  const pipeline = new Pipeline([before, new Wait(), new ThrowAt({ at: 1 }), new Wait(), after]);
  const { error } = await collect(pipeline.run(counting().stream));
  await pipeline.stop("late");
  for (const { calls } of [before, after]) {
    deepEqual(calls.filter((call) => call.startsWith("close")), [`close ${error}`]);
    ok(!calls.includes("flush"));
  }
});

Deno.test("Pipeline fails with the source's own error, and closes with it", async () => {
  const fault = new Error("lost the microphone");
  for (const piped of [false, true]) {
    const witness = new Witness();
    const pipeline = new Pipeline([witness, new Wait()]);
    let next = 0;
    const source = new ReadableStream<number>({
      pull(controller) {
        if (next < 2) controller.enqueue(next++);
        else controller.error(fault);
      },
    }, { highWaterMark: 0 });
    const { chunks, error } = await collect(
      piped ? source.pipeThrough(pipeline) : pipeline.run(source),
    );
    equal(error, fault);
    deepEqual(chunks, [0, 1].slice(0, chunks.length));
    await pipeline.stop("late");
    deepEqual(witness.calls.filter((call) => call.startsWith("close")), [`close ${fault}`]);
  }
});

Deno.test("Pipeline cancels source and nodes when its reader cancels", async () => {
  for (const piped of [false, true]) {
    const witness = new Witness();
    const pipeline = new Pipeline([witness, new Wait()]);
    const { stream, cancelled } = counting();
    const reader = (piped ? stream.pipeThrough(pipeline) : pipeline.run(stream)).getReader();
    await reader.read();
    await reader.cancel("enough");
    await new Promise((resolve) => setTimeout(resolve, 20));
    equal(cancelled(), "enough");
    ok(witness.signal!.aborted);
    deepEqual(witness.calls.filter((call) => call.startsWith("close")), ["close enough"]);
  }
});

Deno.test("Pipeline.run ends on its signal even while nobody reads", async () => {
  const witness = new Witness();
  const { stream, cancelled } = counting();
  const controller = new AbortController();
  const output = new Pipeline([witness, new Wait()]).run(stream, { signal: controller.signal });
  const reader = output.getReader();
  await reader.read();
  controller.abort(new Error("hung up"));
  await rejects(() => reader.read(), /hung up/);
  await new Promise((resolve) => setTimeout(resolve, 20));
  match(String(cancelled()), /hung up/);
  match(witness.calls.at(-1)!, /close Error: hung up/);
});

Deno.test("Pipeline fails when a node cannot open, and still closes it", async () => {
  class Shut extends Witness {
    override open(): Promise<void> {
      return Promise.reject(new Error("no model"));
    }
  }
  const node = new Shut();
  const { error } = await collect(new Pipeline([node]).run([1]));
  equal(String(error), 'NodeError: Node "Shut" failed in open: no model');
  equal(node.calls.length, 1);
  match(node.calls[0]!, /^close NodeError/);
});

Deno.test("Pipeline tells failures of flush, close and generators", async () => {
  class AtFlush extends Witness {
    // deno-lint-ignore require-yield
    override async *flush(): AsyncGenerator<number> {
      throw await Promise.resolve(new Error("half a frame"));
    }
  }
  class AtClose extends Witness {
    override close(): void {
      throw new Error("still busy");
    }
  }
  class InGenerator extends Node<number, number> {
    *process(input: number): Generator<number> {
      yield input;
      throw new Error("broke off");
    }
  }
  for (
    const [node, chunks, message] of [
      [new AtFlush(), [1], 'Node "AtFlush" failed in flush: half a frame'],
      [new AtClose(), [1], 'Node "AtClose" failed in close: still busy'],
      [new InGenerator(), [1], 'Node "InGenerator" failed on chunk 0: broke off'],
      [
        new InGenerator({}, { concurrency: 2 }),
        [1],
        'Node "InGenerator" failed on chunk 0: broke off',
      ],
    ] as const
  ) {
    const result = await collect(new Pipeline([node as Node<number, number>]).run([1]));
    deepEqual(result.chunks, chunks);
    equal((result.error as Error).message, message);
  }
});

Deno.test("Pipeline gives what flush gives through the nodes after it", async () => {
  class Sum extends Node<number, number> {
    #sum = 0;
    process(input: number): void {
      this.#sum += input;
    }
    override *flush(): Generator<number> {
      yield this.#sum;
      yield -this.#sum;
    }
  }
  deepEqual((await collect(new Pipeline([new Sum(), new Add()]).run([1, 2, 3]))).chunks, [7, -5]);
});

Deno.test("Pipeline drops what its queues say, counts it, and never blocks the source", async () => {
  for (
    const [overflow, expected] of [["drop-oldest", [0, 7, 8, 9]], ["drop-newest", [
      0,
      1,
      2,
      3,
    ]]] as const
  ) {
    const gate = Promise.withResolvers<void>();
    class Gated extends Node<number, number> {
      async process(input: number): Promise<number> {
        await gate.promise;
        return input;
      }
    }
    const pipeline = new Pipeline([new Gated({}, { queue: { size: 3, overflow } })]);
    const output = collect(pipeline.readable);
    const writer = pipeline.writable.getWriter();
    for (let chunk = 0; chunk < 10; chunk++) {
      await writer.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    gate.resolve();
    await writer.close();
    const { chunks } = await output;
    // the node works on one chunk and one waits at its door, beside the three of the queue
    deepEqual(chunks, overflow === "drop-oldest" ? [0, 1, ...expected.slice(1)] : [...expected, 4]);
    equal(pipeline.stats()[0]!.dropped, 5);
  }
});

Deno.test("Pipeline.interrupt drops all that is queued and worked on, keeps markers and goes on", async () => {
  for (
    const make of [
      () => new Pipeline([new Wait({ ms: 5 })]),
      () =>
        new Pipeline([
          new Wait({ ms: 5 }),
          new Wait({ ms: 5 }, { queue: { size: 8 } }),
          new Wait({ ms: 5 }),
        ]),
      () => new Pipeline([new Wait({ ms: 5 }, { concurrency: 3 }), new Add({ by: 0 })]),
      () =>
        new Pipeline([
          new Wait({ ms: 5 }, { queue: { size: 9, overflow: "drop-oldest" } }),
          new Add({ by: 0 }),
        ]),
    ]
  ) {
    const pipeline = make();
    const output = collect(pipeline.readable as ReadableStream<number | Marker>);
    const writer = pipeline.writable.getWriter();
    for (let chunk = 0; chunk < 6; chunk++) writer.write(chunk).catch(() => {});
    const marker = new Marker({ name: "kept" });
    writer.write(marker);
    await new Promise((resolve) => setTimeout(resolve, 7));
    await pipeline.interrupt();
    for (let chunk = 100; chunk < 104; chunk++) writer.write(chunk);
    await writer.close();
    const { chunks, error } = await output;
    equal(error, undefined);
    const old = chunks.filter((chunk) => typeof chunk === "number" && chunk < 100);
    ok(old.length <= 3, `${chunks}`);
    deepEqual(chunks.slice(old.length), [marker, 100, 101, 102, 103]);
    equal(pipeline.stats().at(-1)!.errors, 0);
  }
});

Deno.test("Pipeline.interrupt lets nothing old out once it has resolved, even unread", async () => {
  const pipeline = new Pipeline([new Repeat(), new Add({ by: 0 })]);
  const writer = pipeline.writable.getWriter();
  const reader = pipeline.readable.getReader();
  writer.write(5);
  equal((await reader.read()).value, 5);
  await pipeline.interrupt();
  writer.write(2).catch(() => {}); // cancelled below
  equal((await reader.read()).value, 2);
  equal((pipeline.nodes[0] as Repeat).ended, 1);
  await reader.cancel();
});

Deno.test("Pipeline.interrupt gives what onInterrupt gives before what comes next", async () => {
  class Fader extends Node<number, number> {
    process(input: number): NodeOutput<number> {
      return input;
    }
    override *onInterrupt(): Generator<number> {
      yield -1;
      yield -2;
    }
  }
  const pipeline = new Pipeline([new Fader(), new Wait(), new Add({ by: 0 })]);
  const output = collect(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  await writer.write(1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const interrupted = pipeline.interrupt();
  await interrupted;
  await writer.write(2);
  await writer.close();
  deepEqual((await output).chunks, [1, -1, -2, 2]);
});

Deno.test("Pipeline.stats counts chunks, errors and time for each node", async () => {
  const pipeline = new Pipeline([new Add(), new Wait({ ms: 3 }), new ThrowAt({ at: 8 })]);
  await collect(pipeline.run([1, 2, 3, 7, 8]));
  const [add, wait, thrower] = pipeline.stats();
  deepEqual(
    [add!.name, add!.in, add!.out],
    ["Add", 4, 4].map((value, index) => index === 0 ? value : add![index === 1 ? "in" : "out"]),
  );
  equal(thrower!.errors, 1);
  equal(thrower!.in, 4);
  equal(thrower!.out, 3);
  ok(wait!.latency.p50 >= 2.5 && wait!.latency.p50 < 15, `${wait!.latency.p50}`);
  ok(wait!.busyMs >= 10, `${wait!.busyMs}`);
  ok(wait!.latency.p50 <= wait!.latency.p95 && wait!.latency.p95 <= wait!.latency.p99);
});

Deno.test("Pipeline names nodes of the same type apart, and refuses a name given twice", () => {
  const pipeline = new Pipeline([new Add(), new Add(), new Add({}, { name: "mine" })]);
  deepEqual(pipeline.stats().map(({ name }) => name), ["Add", "Add-2", "mine"]);
  throws(
    () => new Pipeline([new Add({}, { name: "a" }), new Add({}, { name: "a" })]),
    PipelineError,
  );
  const node = new Add();
  throws(() => new Pipeline([node, node]), /twice/);
  throws(() => new Pipeline([]), PipelineError);
});

Deno.test("Pipeline runs once", async () => {
  const pipeline = new Pipeline([new Add()]);
  await collect(pipeline.run([1]));
  throws(() => pipeline.run([1]), PipelineError);
});

Deno.test("Pipeline checks at compile time that neighbours fit", () => {
  class Text extends Node<string, string> {
    process(input: string): string {
      return input;
    }
  }
  const fits: Pipeline<readonly [Add, Add]> = new Pipeline([new Add(), new Add()]);
  const output: ReadableStream<number> = fits.readable;
  ok(output);
  // @ts-expect-error a number is not a string
  ok(new Pipeline([new Add(), new Text()]));
  // @ts-expect-error the source gives what the first node does not take
  ok(new Pipeline([new Text()]).run([1, 2]));
});

Deno.test("Pipeline goes on from states of another run", async () => {
  class Count extends Node<number, number> {
    #count = 0;
    process(input: number): number {
      this.#count += input;
      return this.#count;
    }
    override snapshot(): number {
      return this.#count;
    }
    override restore(state: number): void {
      this.#count = state;
    }
  }
  const pipeline = new Pipeline([new Count({}, { name: "count" })]);
  pipeline.restore(new Map([["count", 40]]));
  deepEqual((await collect(pipeline.run([1, 1]))).chunks, [41, 42]);
});

Deno.test("Pipeline copies a state at once, and names the node whose state cannot travel", async () => {
  class Live extends Node<number, number> {
    #seen: unknown[] = [];
    process(input: number): number {
      this.#seen.push(input < 3 ? input : () => input);
      return input;
    }
    override snapshot(): unknown {
      return this.#seen;
    }
    override restore(): void {}
  }
  const before = new Barrier(2, { snapshot: true });
  const reader = new Pipeline([new Live()])
    .run([1, 2, before, 3, new Barrier(3, { snapshot: true })]).getReader();
  for (let count = 0; count < 4; count++) await reader.read();
  deepEqual(before.states, new Map([["Live", [1, 2]]]));
  await rejects(reader.read(), /Node "Live" failed in snapshot: .*\[2\]/);
});

Deno.test("Pipeline cancels its source though a queue that drops waits for room for a marker", async () => {
  for (const overflow of ["drop-oldest", "drop-newest"] as const) {
    let pulled = 0;
    const cancelled = Promise.withResolvers<unknown>();
    const source = new ReadableStream<number>({
      pull(controller) {
        pulled++;
        const chunk: unknown = pulled === 1 ? 1 : new Marker({ name: `${pulled}` });
        controller.enqueue(chunk as number); // markers go along with whatever chunks there are
      },
      cancel: (reason) => cancelled.resolve(reason),
    }, { highWaterMark: 0 });
    const queue = { size: 2, overflow };
    const pipeline = new Pipeline([new Add({ by: 0 }), new Add({ by: 0 }, { queue })]);
    const reader = source.pipeThrough(pipeline).getReader();
    equal((await reader.read()).value, 1);
    let before = -1;
    while (pulled !== before) { // until nobody takes any more
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await reader.cancel("enough");
    equal(await cancelled.promise, "enough");
  }
});

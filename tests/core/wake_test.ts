import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Marker, Node, type NodeContext, Pipeline } from "../../core/mod.ts";
import { Add, Wait } from "./_nodes.ts";

/** Gives what it was told by hand when it is woken; keeps the inputs. */
class Sleeper extends Node<number, number> {
  context: NodeContext | undefined;
  pending: number[] = [];
  working = false;
  wakes = 0;
  override open(context: NodeContext): void {
    this.context = context;
  }
  give(value: number): void {
    this.pending.push(value);
    this.context!.wake();
  }
  async process(input: number): Promise<number> {
    this.working = true;
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.working = false;
    return input;
  }
  override async *onWake(): AsyncGenerator<number> {
    this.wakes++;
    for (const value of this.pending.splice(0)) {
      equal(this.working, false, "no chunk is worked on meanwhile");
      await Promise.resolve();
      yield value;
    }
  }
  override *flush(): Generator<number> {
    yield* this.pending.splice(0);
  }
}

Deno.test("Node.onWake gives outputs while no chunk comes, in every place of a pipeline", async () => {
  const makes = [
    (sleeper: Sleeper) => new Pipeline([sleeper, new Add({ by: 1 })]),
    (sleeper: Sleeper) => new Pipeline([new Add({ by: 0 }), sleeper, new Add({ by: 1 })]),
    (sleeper: Sleeper) =>
      new Pipeline([new Wait({ ms: 1 }, { concurrency: 2 }), sleeper, new Add({ by: 1 })]),
  ];
  for (const make of makes) {
    const sleeper = new Sleeper();
    const pipeline = make(sleeper);
    const reader = pipeline.readable.getReader();
    const writer = pipeline.writable.getWriter();
    void writer.write(1);
    equal((await reader.read()).value, 2);
    sleeper.give(10);
    equal((await reader.read()).value, 11);
    sleeper.give(20);
    sleeper.give(30);
    deepEqual([(await reader.read()).value, (await reader.read()).value], [21, 31]);
    ok(sleeper.wakes <= 3, "asking twice is answered once");
    void writer.write(2);
    void writer.close();
    equal((await reader.read()).value, 3);
    equal((await reader.read()).done, true);
  }
});

Deno.test("Node.onWake comes between two chunks, never during one, and chunks wait for it", async () => {
  const sleeper = new Sleeper();
  const pipeline = new Pipeline([sleeper]);
  const outputs: number[] = [];
  const reading = (async () => {
    for await (const output of pipeline.readable) outputs.push(output as number);
  })();
  const writer = pipeline.writable.getWriter();
  await writer.write(0);
  for (let chunk = 1; chunk <= 40; chunk++) {
    void writer.write(chunk);
    if (chunk % 3 === 0) sleeper.give(-chunk);
    if (chunk % 5 === 0) await writer.ready;
  }
  await writer.close();
  await reading;
  deepEqual(outputs.filter((output) => output >= 0), Array.from({ length: 41 }, (_, i) => i));
  const woken = Array.from({ length: 13 }, (_, index) => -3 * (index + 1));
  deepEqual(outputs.filter((output) => output < 0), woken);
});

Deno.test("Node.onWake waits for a reader, and an interrupt drops what waits", async () => {
  const sleeper = new Sleeper();
  const pipeline = new Pipeline([sleeper]);
  const reader = pipeline.readable.getReader();
  const writer = pipeline.writable.getWriter();
  void writer.write(1);
  equal((await reader.read()).value, 1);
  sleeper.give(10);
  while (sleeper.wakes === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await pipeline.interrupt();
  void writer.write(2);
  equal((await reader.read()).value, 2);
  void writer.write(new Marker({ name: "end" }) as never);
  void writer.close();
  ok((await reader.read()).value as unknown instanceof Marker);
  equal((await reader.read()).done, true);
});

Deno.test("Node.onWake that throws fails the stream with its node and phase", async () => {
  class Bad extends Sleeper {
    override onWake(): AsyncGenerator<number> {
      throw new Error("no");
    }
  }
  const bad = new Bad();
  const reader = bad.readable.getReader();
  const writer = bad.writable.getWriter();
  writer.closed.catch(() => {}); // the reader is told
  void writer.write(1);
  await reader.read();
  bad.give(1);
  await rejects(reader.read(), { name: "NodeError", node: "Bad", phase: "wake" });
});

Deno.test("Node.onWake is not called once the end was reached, nor after a cancel", async () => {
  const sleeper = new Sleeper();
  const reader = sleeper.readable.getReader();
  const writer = sleeper.writable.getWriter();
  void writer.write(1);
  await reader.read();
  const closed = writer.close();
  equal((await reader.read()).done, true);
  await closed;
  sleeper.give(10);
  const other = new Sleeper();
  const otherReader = other.readable.getReader();
  void other.writable.getWriter().write(1).catch(() => {}); // cancelled
  await otherReader.read();
  await otherReader.cancel();
  other.give(10);
  await new Promise((resolve) => setTimeout(resolve, 20));
  deepEqual([sleeper.wakes, other.wakes], [0, 0]);
});

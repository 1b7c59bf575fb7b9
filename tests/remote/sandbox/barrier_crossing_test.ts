import assert from "node:assert/strict";
import { Barrier } from "../../../core/stage/barrier.ts";
import { BarrierCrossing } from "../../../remote/sandbox/_barrier_crossing.ts";

function sent(crossing: BarrierCrossing, sequence: number) {
  const barrier = new Barrier(sequence, { snapshot: true });
  const entry = crossing.entryOf(barrier);
  assert.ok(entry.kind === "barrier");
  return { barrier, entry };
}

Deno.test("BarrierCrossing gives the barrier itself back, with the guest's states", () => {
  const crossing = new BarrierCrossing(["a", "b"]);
  const { barrier, entry } = sent(crossing, 7);
  entry.states.set("a", { count: 1 });
  assert.equal(crossing.chunkOf(entry), barrier);
  assert.deepEqual(barrier.states, new Map([["a", { count: 1 }]]));
});

Deno.test("BarrierCrossing refuses barriers that did not go in, and states of others' nodes", () => {
  const crossing = new BarrierCrossing(["a"]);
  const first = sent(crossing, 1);
  const forged = { ...first.entry, states: new Map([["Gain", { level: 0 }]]) };
  assert.throws(() => crossing.chunkOf(forged), /a state is none/);
  assert.equal(first.barrier.states.size, 0);
  const second = sent(crossing, 2);
  assert.throws(() => crossing.chunkOf({ ...second.entry, sequence: 3 }), /a barrier is none/);
  assert.throws(() => crossing.chunkOf(second.entry), /a barrier is none/);
});

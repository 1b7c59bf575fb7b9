import assert from "node:assert/strict";
import { ChunkStream, NONE } from "../../remote/client/chunk_stream.ts";

/** A stream of chunks that come from outside, and what was said to it. */
function makeStream() {
  const queue: number[] = [];
  const said: unknown[] = [];
  let side!: ReadableStreamDefaultController<unknown>;
  let isWanted = false;
  let isClosing = false;
  const give = () => {
    if (isWanted && queue.length > 0) {
      isWanted = false;
      side.enqueue(queue.shift());
    }
    if (isClosing && queue.length === 0) {
      isClosing = false;
      side.close();
    }
  };
  const stream = new ChunkStream({
    start: (controller) => {
      side = controller;
    },
    pull: () => {
      isWanted = true;
      give();
    },
    cancel: (reason) => void said.push(reason),
  }, () => {
    if (isWanted || queue.length === 0) return NONE;
    const chunk = queue.shift();
    give();
    return chunk;
  });
  return {
    stream,
    said,
    put(chunk: number) {
      queue.push(chunk);
      give();
    },
    close() {
      isClosing = true;
      give();
    },
    fail: (error: unknown) => side.error(error),
  };
}

Deno.test("ChunkStream gives for await all chunks in their order, whether they are there or come later", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const { stream, put, close } = makeStream();
  const count = 2_000;
  const produce = async () => {
    for (let index = 0; index < count; index++) {
      put(index);
      if (random() < 0.3) await Promise.resolve();
      if (random() < 0.05) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    close();
  };
  const produced = produce();
  const got: unknown[] = [];
  const iterator = stream[Symbol.asyncIterator]();
  for (let over = false; !over;) { // several at once, too
    const asked = Array.from({ length: 1 + Math.floor(3 * random()) }, () => iterator.next());
    for (const { done, value } of await Promise.all(asked)) {
      if (done) over = true;
      else got.push(value);
    }
  }
  await produced;
  assert.deepEqual(got, Array.from({ length: count }, (_, index) => index));
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.equal(stream.locked, false);
});

Deno.test("ChunkStream is locked while it is iterated, and cancelled by a break unless told otherwise", async () => {
  const { stream, said, put } = makeStream();
  for (const chunk of [1, 2, 3]) put(chunk);
  for await (const chunk of stream.values({ preventCancel: true })) {
    assert.equal(stream.locked, true);
    assert.equal(chunk, 1);
    break;
  }
  assert.deepEqual([stream.locked, said], [false, []]);
  for await (const chunk of stream) {
    assert.equal(chunk, 2);
    break;
  }
  assert.deepEqual([stream.locked, said], [false, [undefined]]);
  assert.deepEqual(await stream.getReader().read(), { done: true, value: undefined });
});

Deno.test("ChunkStream fails for await with the stream's error, once", async () => {
  const { stream, put, fail } = makeStream();
  put(1);
  const iterator = stream[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: 1 });
  const next = iterator.next();
  fail(new Error("gone"));
  await assert.rejects(next, { message: "gone" });
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.equal(stream.locked, false);
});

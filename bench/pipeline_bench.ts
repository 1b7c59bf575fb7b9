/** Ten pass-through nodes against one bare `TransformStream`. */
import { Node, Pipeline } from "../core/mod.ts";
import { compare } from "./_compare.ts";

const ITEMS = 300_000;

class Through extends Node<number, number> {
  process(input: number): number {
    return input;
  }
}

function source(): ReadableStream<number> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < ITEMS) controller.enqueue(next++);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

async function drain(stream: ReadableStream<number>): Promise<number> {
  const reader = stream.getReader();
  let count = 0;
  while (!(await reader.read()).done) count++;
  return count;
}

const bare = {
  name: "one bare TransformStream",
  run: () => drain(source().pipeThrough(new TransformStream())),
};
const ten = () => new Pipeline(Array.from({ length: 10 }, () => new Through()));
await compare(
  bare,
  { name: "ten pass-through nodes, run()", run: () => drain(ten().run(source())) },
  { atLeast: 0.8 },
);
await compare(
  bare,
  { name: "ten pass-through nodes, pipeThrough()", run: () => drain(source().pipeThrough(ten())) },
  { atLeast: 0.4 }, // its write() and pull() are callbacks, which the bare one does not have
);

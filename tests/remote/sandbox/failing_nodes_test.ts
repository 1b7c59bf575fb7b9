import assert from "node:assert/strict";
import {
  type Executor,
  NodeError,
  Pipeline,
  RemoteExecutor,
  SandboxExecutor,
  ThreadExecutor,
} from "@remotemedia/sdk";
import { serve } from "../../../remote/server/mod.ts";
import { GiveThenThrow, Unsendable } from "./_failing_nodes.ts";

const places: Record<string, () => Promise<Executor & AsyncDisposable>> = {
  SandboxExecutor: () => Promise.resolve(new SandboxExecutor()),
  ThreadExecutor: () => Promise.resolve(new ThreadExecutor({ threads: 1 })),
  async RemoteExecutor() {
    const server = await serve({ port: 0 });
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
  Deno.test(`${name} gives all outputs that came before an error, then the error`, async () => {
    await using executor = await open();
    for (const [count, pauseMs] of [[1, 0], [3, 0], [7, 5], [30, 1]] as const) {
      const pipeline = new Pipeline([new GiveThenThrow({}, { executor })]);
      const outputs: number[] = [];
      const read = async () => {
        for await (const output of pipeline.run([1, -count, 1])) {
          outputs.push(output);
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      };
      await assert.rejects(read(), (error: NodeError) => {
        assert.ok(error instanceof NodeError, String(error));
        return error.chunkIndex === 1;
      });
      assert.deepEqual(outputs, [0, ...Array.from({ length: count }, (_, index) => index)]);
    }
  });

  Deno.test(`${name} answers an interrupt that comes when all is done and nobody reads`, async () => {
    await using executor = await open();
    for (const pauseMs of [0, 1, 5, 20, 50]) {
      const pipeline = new Pipeline([new GiveThenThrow({}, { executor })]);
      let count = 0;
      for await (const _ of pipeline.run([3, 3, 3])) {
        if (++count !== 3) continue;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await pipeline.interrupt();
      }
    }
  });

  Deno.test(`${name} names what in an output cannot travel from the output on`, async () => {
    await using executor = await open();
    const pipeline = new Pipeline([new Unsendable({}, { executor })]);
    await assert.rejects(Array.fromAsync(pipeline.run([1])), {
      name: "SerializationError",
      message: /value\.list\[1\]\.call is a function/,
    });
  });
}

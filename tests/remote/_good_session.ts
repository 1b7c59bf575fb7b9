import assert from "node:assert/strict";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import type { RemoteExecutor } from "../../remote/mod.ts";
import { Numbered } from "./_nodes.ts";

/** A session of somebody who does nothing wrong: sends a number every some ms, and checks what comes back. */
export class GoodSession {
  /** The longest time from a number to its answer, in ms. */
  longestMs = 0;
  /** How many answers came. */
  answers = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  /** @param executor where it runs; it needs the test nodes */
  constructor(executor: RemoteExecutor) {
    this.#done = this.#run(executor);
    this.#done.catch(() => {}); // told by stop()
  }

  async #run(executor: RemoteExecutor): Promise<void> {
    const pipeline = new Pipeline([
      new PassThrough({}, { executor }),
      new Numbered({}, { executor }),
    ]);
    const [writer, reader] = [pipeline.writable.getWriter(), pipeline.readable.getReader()];
    writer.closed.catch(() => {}); // the reader is told the same
    while (!this.#stopped) {
      const start = performance.now();
      writer.write(`hello ${this.answers}`).catch(() => {}); // the reader is told the same
      const { value } = await reader.read();
      assert.deepEqual(value, { count: this.answers, input: `hello ${this.answers}` });
      this.answers++;
      this.longestMs = Math.max(this.longestMs, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await writer.close();
    assert.ok((await reader.read()).done);
  }

  /** Ends it. @throws {Error} if anything went wrong so far */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

import { Marker } from "../frames/marker.ts";
import { Branch } from "./branch.ts";
import type { Connection } from "./connection.ts";

/**
 * Gives each chunk to several readers: the same object, not a copy. Unlike `tee()`, which buffers without
 * limit for the slower one, each branch is bounded and says what happens when it is full.
 */
export class FanOut {
  readonly writable: WritableStream<unknown>;
  readonly branches: readonly Branch[];
  #writableSide!: WritableStreamDefaultController;
  #dropping = false;

  /** @param connections one for each reader */
  constructor(connections: readonly Partial<Connection>[]) {
    this.branches = connections.map((connection) => new Branch(connection));
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
        // abort() waits for the write under way, which may wait for a reader: end that wait at once
        controller.signal.addEventListener("abort", () => this.fail(controller.signal.reason), {
          once: true,
        });
      },
      write: (chunk) => this.#write(chunk),
      close: () => {
        for (const branch of this.branches) branch.close();
      },
    }, { highWaterMark: 1 });
  }

  /** The most chunks in it: those of its branches, and one that waits on its way in. */
  get capacity(): number {
    return this.branches.reduce((sum, { size }) => sum + size, 1);
  }

  /** Drops what is in it, and from now on what comes, but no marker, until {@linkcode FanOut.resume}. */
  drop(): void {
    this.#dropping = true;
    for (const branch of this.branches) branch.drop();
  }

  /** Lets chunks through again. */
  resume(): void {
    this.#dropping = false;
  }

  /** Ends it from outside: all ends fail with `reason`. */
  fail(reason: unknown): void {
    this.#writableSide.error(reason);
    for (const branch of this.branches) branch.fail(reason);
  }

  #write(chunk: unknown): void | Promise<void> {
    if (this.#dropping && !(chunk instanceof Marker)) {
      for (const branch of this.branches) branch.dropped++;
      return;
    }
    const waits = this.branches.map((branch) => branch.put(chunk)).filter((wait) =>
      wait !== undefined
    );
    if (waits.length > 0) return Promise.all(waits).then(() => {});
  }
}

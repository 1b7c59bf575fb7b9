import type { Overflow } from "../executor.ts";
import { Marker } from "../frames/marker.ts";
import type { NodeSlot } from "./node_slot.ts";

/**
 * A queue that never holds up what writes to it: when it holds `size` chunks, one is dropped. Markers
 * are never dropped; when only markers are left to drop, it holds up the writer.
 */
export class DropQueue {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly #chunks: unknown[] = [];
  readonly #slot: NodeSlot;
  readonly #size: number;
  readonly #overflow: Overflow;
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #writableSide!: WritableStreamDefaultController;
  #demand = false;
  #closing = false;
  #room: PromiseWithResolvers<void> | undefined;

  /** @param slot the node that waits behind it: its drops are counted there */
  constructor(slot: NodeSlot, { size, overflow }: { size: number; overflow: Overflow }) {
    this.#slot = slot;
    this.#size = size;
    this.#overflow = overflow;
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#demand = true;
        this.#give();
      },
      cancel: (reason) => this.stop(reason),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
        controller.signal.addEventListener("abort", () => this.stop(controller.signal.reason));
      },
      write: (chunk) => this.#put(chunk),
      close: () => {
        this.#closing = true;
        this.#give();
      },
      abort: (reason) => this.stop(reason),
    }, { highWaterMark: 1 });
  }

  /** Chunks in it now. */
  get depth(): number {
    return this.#chunks.length;
  }

  /** Drops all chunks but the markers. */
  dropQueued(): void {
    const kept = this.#chunks.filter((chunk) => chunk instanceof Marker);
    this.#slot.dropped += this.#chunks.length - kept.length;
    this.#chunks.splice(0, this.#chunks.length, ...kept);
    this.#room?.resolve();
  }

  /** Ends it from outside. */
  stop(reason: unknown): void {
    this.#chunks.length = 0;
    this.#room?.resolve();
    this.#writableSide.error(reason);
    this.#readableSide.error(reason);
  }

  #put(chunk: unknown): void | Promise<void> {
    if (this.#chunks.length < this.#size) {
      this.#chunks.push(chunk);
      return this.#give();
    }
    if (this.#overflow === "drop-newest" && !(chunk instanceof Marker)) {
      this.#slot.dropped++;
      return;
    }
    const oldest = this.#overflow === "drop-oldest"
      ? this.#chunks.findIndex((queued) => !(queued instanceof Marker))
      : -1;
    if (oldest < 0) return this.#putLater(chunk);
    this.#chunks.splice(oldest, 1);
    this.#slot.dropped++;
    this.#chunks.push(chunk);
  }

  async #putLater(chunk: unknown): Promise<void> {
    this.#room = Promise.withResolvers<void>();
    await this.#room.promise;
    this.#room = undefined;
    await this.#put(chunk);
  }

  #give(): void {
    if (this.#demand && this.#chunks.length > 0) {
      this.#demand = false;
      this.#readableSide.enqueue(this.#chunks.shift());
      this.#room?.resolve();
    }
    if (this.#closing && this.#chunks.length === 0) {
      this.#closing = false;
      this.#readableSide.close();
    }
  }
}

import { Marker } from "../frames/marker.ts";
import { MAX_WAIT_MS, type Merge } from "./connection.ts";

/** One of the streams that are merged: what it gave and is not yet out, at most one chunk. */
interface Input {
  readonly writable: WritableStream<unknown>;
  controller: WritableStreamDefaultController;
  head: { chunk: unknown; at: number; taken: PromiseWithResolvers<void> } | undefined;
  /** The timestamp of its last chunk. */
  last: number;
  state: "open" | "idle" | "ended";
}

/**
 * Makes one stream of several: by arrival, or the earliest timestamp first. Holds at most one chunk of each,
 * and one more waits in its stream. {@linkcode Merge} says what a silent branch does.
 */
export class FanIn {
  readonly readable: ReadableStream<unknown>;
  readonly capacity: number;
  readonly #inputs: readonly Input[];
  readonly #byTime: boolean;
  readonly #maxWaitMs: number;
  /** Inputs with a chunk, in the order in which they came; never more than there are inputs. */
  readonly #waiting: Input[] = [];
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #demand = false;
  #over = false;
  #dropping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param count how many streams; @param merge in which order */
  constructor(count: number, { order = "arrival", maxWaitMs = MAX_WAIT_MS }: Merge = {}) {
    this.#byTime = order === "timestamp";
    this.#maxWaitMs = maxWaitMs;
    this.capacity = 2 * count;
    this.#inputs = Array.from({ length: count }, () => this.#input());
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#demand = true;
        this.#give();
      },
      cancel: (reason) => this.#end(reason),
    }, { highWaterMark: 0 });
  }

  /** Where the streams go in. */
  get writables(): readonly WritableStream<unknown>[] {
    return this.#inputs.map(({ writable }) => writable);
  }

  /** Drops what is in it, and from now on what comes, but no marker, until {@linkcode FanIn.resume}. */
  drop(): void {
    this.#dropping = true;
    for (const input of [...this.#waiting]) {
      if (!(input.head!.chunk instanceof Marker)) this.#take(input);
    }
  }

  /** Lets chunks through again. */
  resume(): void {
    this.#dropping = false;
  }

  /** Ends it from outside: all ends fail with `reason`. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#readableSide.error(reason);
    this.#end(reason);
  }

  #input(): Input {
    let controller!: WritableStreamDefaultController;
    const writable = new WritableStream<unknown>({
      start(own) {
        controller = own;
      },
      write: (chunk) => this.#put(input, chunk),
      close: () => {
        input.state = "ended";
        this.#give();
      },
    }, { highWaterMark: 1 });
    controller.signal.addEventListener("abort", () => this.fail(controller.signal.reason), {
      once: true,
    });
    const input: Input = { writable, controller, head: undefined, last: -Infinity, state: "open" };
    return input;
  }

  #put(input: Input, chunk: unknown): void | Promise<void> {
    if (this.#dropping && !(chunk instanceof Marker)) return;
    const at = Math.max(timestampOf(chunk) ?? input.last, input.last);
    input.last = at;
    input.state = "open";
    const taken = Promise.withResolvers<void>();
    input.head = { chunk, at, taken };
    this.#waiting.push(input);
    this.#give();
    return taken.promise;
  }

  #take(input: Input): unknown {
    const { chunk, taken } = input.head!;
    input.head = undefined;
    this.#waiting.splice(this.#waiting.indexOf(input), 1);
    taken.resolve();
    return chunk;
  }

  #give(): void {
    if (this.#over) return;
    if (this.#waiting.length === 0) {
      if (this.#inputs.every(({ state }) => state === "ended")) {
        this.#readableSide.close();
        this.#end(undefined);
      }
      return;
    }
    if (!this.#demand) return;
    const next = this.#byTime ? this.#earliest() : this.#waiting[0];
    if (next === undefined) return this.#startWaiting();
    this.#stopWaiting();
    this.#demand = false;
    this.#readableSide.enqueue(this.#take(next));
  }

  /** The input whose chunk is next; none while one that may still give an earlier chunk is silent. */
  #earliest(): Input | undefined {
    const isHeldBack = this.#inputs.some(({ state, head }) =>
      state === "open" && head === undefined
    );
    if (isHeldBack) return undefined;
    return this.#waiting.reduce((first, input) => input.head!.at < first.head!.at ? input : first);
  }

  #startWaiting(): void {
    if (this.#timer !== undefined || this.#maxWaitMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const input of this.#inputs) {
        if (input.head === undefined && input.state === "open") input.state = "idle";
      }
      this.#give();
    }, this.#maxWaitMs);
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #end(reason: unknown): void {
    this.#over = true;
    this.#stopWaiting();
    for (const { controller, head, state } of this.#inputs) {
      head?.taken.resolve();
      if (state !== "ended") controller.error(reason);
    }
  }
}

/** When a chunk happened, in µs; `undefined` if it does not say. */
function timestampOf(chunk: unknown): number | undefined {
  if (typeof chunk !== "object" || chunk === null) return undefined;
  const { timestamp } = chunk as { timestamp?: unknown };
  return typeof timestamp === "number" && !Number.isNaN(timestamp) ? timestamp : undefined;
}

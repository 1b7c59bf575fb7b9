import { Marker } from "../frames/marker.ts";
import { BRANCH_SIZE, type BranchPolicy, type Connection, SAMPLE_EVERY } from "./connection.ts";

/** A bounded queue from a fan-out to one of its readers: never more than `size` chunks, and one that waits. */
export class Branch {
  readonly readable: ReadableStream<unknown>;
  readonly size: number;
  dropped = 0;
  readonly #policy: BranchPolicy;
  readonly #every: number;
  readonly #chunks: unknown[] = [];
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #demand = false;
  #state: "open" | "closing" | "ended" = "open";
  #room: PromiseWithResolvers<void> | undefined;
  #epoch = 0;
  #seen = 0;

  constructor({ policy = "block", size = BRANCH_SIZE, every = SAMPLE_EVERY }: Partial<Connection>) {
    this.size = size;
    this.#policy = policy;
    this.#every = every;
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#demand = true;
        this.#give();
      },
      cancel: () => this.#end(),
    }, { highWaterMark: 0 });
  }

  /** Chunks in it now. */
  get depth(): number {
    return this.#chunks.length;
  }

  /** Takes a chunk, or drops one as its policy says. Resolves, without ever failing, when it has. */
  put(chunk: unknown): void | Promise<void> {
    if (this.#state !== "open") return;
    const isMarker = chunk instanceof Marker;
    if (this.#policy === "sample" && !isMarker && this.#seen++ % this.#every !== 0) {
      this.dropped++;
      return;
    }
    if (this.#chunks.length < this.size) return this.#push(chunk);
    if (this.#policy === "drop-newest" && !isMarker) {
      this.dropped++;
      return;
    }
    if (this.#policy === "drop-oldest") {
      const oldest = this.#chunks.findIndex((queued) => !(queued instanceof Marker));
      if (oldest >= 0) {
        this.#chunks.splice(oldest, 1);
        this.dropped++;
        return this.#push(chunk);
      }
    }
    return this.#putLater(chunk);
  }

  async #putLater(chunk: unknown): Promise<void> {
    const epoch = this.#epoch;
    while (this.#state === "open" && this.#chunks.length >= this.size) {
      this.#room = Promise.withResolvers<void>();
      await this.#room.promise;
    }
    if (this.#state !== "open") return;
    if (epoch === this.#epoch || chunk instanceof Marker) this.#push(chunk);
    else this.dropped++;
  }

  #push(chunk: unknown): void {
    this.#chunks.push(chunk);
    this.#give();
  }

  /** Drops all chunks but the markers, also the one that waits for room. */
  drop(): void {
    this.#epoch++;
    const kept = this.#chunks.filter((chunk) => chunk instanceof Marker);
    this.dropped += this.#chunks.length - kept.length;
    this.#chunks.splice(0, this.#chunks.length, ...kept);
    this.#room?.resolve();
  }

  /** No more chunks come: ends when those in it are read. */
  close(): void {
    if (this.#state === "open") this.#state = "closing";
    this.#give();
  }

  /** Fails its reader. */
  fail(reason: unknown): void {
    if (this.#state === "ended") return;
    this.#readableSide.error(reason);
    this.#end();
  }

  #end(): void {
    this.#state = "ended";
    this.#chunks.length = 0;
    this.#room?.resolve();
  }

  #give(): void {
    if (this.#demand && this.#chunks.length > 0) {
      this.#demand = false;
      this.#readableSide.enqueue(this.#chunks.shift());
      this.#room?.resolve();
    }
    if (this.#state === "closing" && this.#chunks.length === 0) {
      this.#readableSide.close();
      this.#end();
    }
  }
}

import { PipelineError } from "../../core/errors.ts";
import type { NodeSpec, Segment } from "../../core/executor.ts";
import { Marker } from "../../core/frames/marker.ts";
import type { NodeStats } from "../../core/stats.ts";
import { BarrierCrossing } from "./_barrier_crossing.ts";
import { HostInputs, INPUTS } from "./_host_inputs.ts";
import { HostOutputs, OUTPUTS } from "./_host_outputs.ts";
import type { FindPlace, Place, SegmentMessage } from "./_place.ts";
import { bytesOf } from "./_wire.ts";
import { errorOf, failureOf } from "./failure.ts";
import type { Entry, HostMessage } from "./protocol.ts";

/** How long nodes may take to close, in ms, before their guest is ended. */
const CLOSE_MS = 5_000;

/**
 * A segment whose nodes run behind a {@linkcode Wire}: in a sandbox or in a thread. Opens when first used.
 * Holds at most 64 inputs and 64 outputs beside what the nodes hold; the guest is only given credit for what
 * was consumed here, and one that sends more is ended.
 */
export class HostSegment implements Segment {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly capacity: number;
  readonly #find: FindPlace;
  #output!: ReadableStreamDefaultController<unknown>;
  #input!: WritableStreamDefaultController;
  #place: Place | undefined;
  #opening: Promise<void> | undefined;
  #states: Map<string, unknown> | undefined;
  #stats: NodeStats[];
  #over = false;
  readonly #ended = Promise.withResolvers<void>();
  #closing = false;
  #finished = false;

  readonly #inputs = new HostInputs();
  #room: (() => void) | undefined;
  readonly #barriers: BarrierCrossing;

  readonly #outputs = new HostOutputs();
  /** The guest told all of its outputs. */
  #complete = false;
  /** Why it failed, once those are read. */
  #failure: { error: unknown } | undefined;
  #wanted = false;

  #written = 0;
  #taken = 0;
  #dropUntil = 0;
  #lastInterrupt = 0;
  readonly #interrupts = new Map<number, () => void>();

  /** @param nodes what runs there; @param find gets the place */
  constructor(nodes: readonly NodeSpec[], find: FindPlace) {
    this.#find = find;
    this.#barriers = new BarrierCrossing(nodes.map(({ name }) => name));
    this.#stats = nodes.map(({ name, type }) => emptyStats(name, type));
    this.capacity = INPUTS + OUTPUTS + 2 + nodes.reduce((sum, node) => sum + capacityOf(node), 0);
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#output = controller;
      },
      pull: () => {
        this.#begin();
        this.#wanted = true;
        this.#deliver();
      },
      cancel: (reason) => this.stop(reason),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#input = controller;
        controller.signal.addEventListener("abort", () => {
          void this.stop(controller.signal.reason);
        }, { once: true });
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => this.stop(reason),
    }, {
      highWaterMark: 1,
      size: () => {
        this.#written++;
        return 1;
      },
    });
  }

  /** The states that the nodes go on from. Before the first chunk. */
  restore(states: ReadonlyMap<string, unknown>): void {
    if (this.#opening !== undefined) {
      throw new PipelineError("Cannot restore states as the nodes are open");
    }
    const names = new Set(this.#stats.map(({ name }) => name));
    this.#states = new Map([...states].filter(([name]) => names.has(name)));
  }

  /** What the nodes did, as last told; asks for news. */
  stats(): NodeStats[] {
    if (!this.#over) this.#place?.wire.send({ type: "ask-stats", segment: this.#place.id });
    return this.#stats;
  }

  /** Drops what was written and is not yet out. */
  interrupt(): Promise<void> {
    this.#dropUntil = this.#written;
    this.#inputs.drop();
    this.#outputs.drop();
    this.#grant();
    this.#room?.();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#place === undefined || this.#over || this.#complete) resolve();
    else {
      const id = ++this.#lastInterrupt;
      this.#interrupts.set(id, resolve);
      this.#place.wire.send({ type: "interrupt", segment: this.#place.id, id });
    }
    return promise;
  }

  /** Ends it from outside; resolves when its nodes are closed. */
  async stop(reason: unknown): Promise<void> {
    if (this.#complete) this.#endWith(reason); // nothing of it is left there
    else if (!this.#over) {
      this.#fail(reason);
      const place = this.#place;
      if (place !== undefined) {
        place.wire.send({ type: "stop", segment: place.id, failure: failureOf(reason) });
        const timer = setTimeout(() => place.abandon(), CLOSE_MS);
        void this.#ended.promise.then(() => clearTimeout(timer));
      } else if (this.#opening === undefined) this.#ended.resolve();
    }
    await this.#ended.promise;
  }

  /**
   * A message of the guest for this segment. What it throws ends the guest; what it gives resolves when there is room
   * for more.
   */
  accept(message: SegmentMessage): Promise<void> | void {
    switch (message.type) {
      case "opened":
        return;
      case "outputs":
        this.#acceptOutputs(message.entries);
        return this.#outputs.room;
      case "credit":
        this.#inputs.credited(message.count);
        this.#room?.();
        return;
      case "interrupted": {
        if (this.#over) return; // who waited for it was told then
        const resolve = this.#interrupts.get(message.id);
        if (resolve === undefined) throw new Error("an interrupt is none");
        this.#interrupts.delete(message.id);
        resolve();
        return;
      }
      case "ended":
        this.#acceptStats(message.stats);
        return this.#end();
      case "failed":
        if (message.stats.length > 0) this.#acceptStats(message.stats);
        return this.#failWith(errorOf(message.failure));
      case "stats":
        return this.#acceptStats(message.stats);
    }
  }

  /** The guest is gone. */
  lost(error: unknown): void {
    this.#endWith(error);
  }

  /** Gets the place, the first time that it is called. */
  #begin(): void {
    this.#opening ??= this.#open();
  }

  /** Never fails: the streams are told. */
  async #open(): Promise<void> {
    try {
      const place = await this.#find(this, this.#states);
      this.#place = place;
      if (this.#over) {
        place.wire.send({ type: "stop", segment: place.id, failure: failureOf("stopped") });
        place.abandon();
        return;
      }
      this.#grant();
      if (this.#inputs.pending) place.wire.schedule(this.#inputSource);
      this.#room?.();
    } catch (error) {
      this.#endWith(error);
    }
  }

  async #write(chunk: unknown): Promise<void> {
    const number = ++this.#taken;
    this.#begin();
    while (this.#place === undefined || !this.#inputs.hasRoom) {
      await new Promise<void>((resolve) => this.#room = resolve);
      if (this.#over || this.#failure !== undefined) return;
    }
    if (number <= this.#dropUntil && !(chunk instanceof Marker)) return;
    this.#inputs.add(this.#barriers.entryOf(chunk));
    this.#place.wire.schedule(this.#inputSource);
  }

  readonly #inputSource = {
    next: (): HostMessage | undefined => {
      const place = this.#place;
      if (place === undefined || !this.#inputs.pending) return undefined;
      const entries = this.#inputs.take();
      if (this.#inputs.pending) place.wire.schedule(this.#inputSource);
      return { type: "inputs", segment: place.id, entries };
    },
    failed: (error: unknown): void => void this.stop(error),
  };

  readonly #creditSource = {
    next: (): HostMessage | undefined => {
      const count = this.#over ? 0 : this.#outputs.takeDue();
      return count === 0 ? undefined : { type: "credit", segment: this.#place!.id, count };
    },
    failed: (error: unknown): void => void this.stop(error),
  };

  async #close(): Promise<void> {
    this.#begin();
    await this.#opening;
    if (this.#over) return;
    this.#closing = true;
    const { wire, id } = this.#place!;
    const inputs = this.#inputSource;
    try {
      for (let left = inputs.next(); left !== undefined; left = inputs.next()) wire.send(left);
    } catch (error) {
      await this.stop(error);
      throw error;
    }
    wire.send({ type: "end", segment: id });
    await this.#ended.promise;
  }

  #acceptOutputs(entries: readonly Entry[]): void {
    this.#outputs.expect(entries.length);
    for (const entry of entries) {
      const bytes = bytesOf(entry);
      this.#outputs.measure(bytes);
      const chunk = this.#barriers.chunkOf(entry);
      if (this.#over || (this.#interrupts.size > 0 && !(chunk instanceof Marker))) continue;
      this.#outputs.put(chunk, bytes);
    }
    this.#deliver();
    this.#grant();
  }

  #acceptStats(stats: NodeStats[]): void {
    if (stats.length !== this.#stats.length) throw new Error("its stats are of other nodes");
    this.#stats = stats.map((told, index) => {
      const { name, type } = this.#stats[index]!;
      return { ...told, name, type };
    });
  }

  /** Hands a chunk to the reader if it waits for one. */
  #deliver(): void {
    if (!this.#wanted || this.#over) return;
    if (!this.#outputs.empty) {
      this.#wanted = false;
      this.#output.enqueue(this.#outputs.take());
      this.#grant();
    } else if (this.#failure !== undefined) {
      this.#endWith(this.#failure.error);
    } else if (this.#complete) {
      this.#finish();
      this.#output.close();
    }
  }

  /** Lets the guest send as much as there is room for. */
  #grant(): void {
    if (this.#place === undefined || this.#over || this.#complete) return;
    if (!this.#outputs.makeDue()) return;
    this.#place.wire.schedule(this.#creditSource);
  }

  /** All outputs are told; those that wait are still read. */
  #end(): void {
    if (this.#over) return this.#finish(); // it ended before it heard that it was stopped
    if (!this.#closing) throw new Error("it ended before its inputs did");
    this.#complete = true;
    this.#interrupted();
    this.#deliver();
  }

  /** It failed there: takes no more, and fails here behind the outputs that came before. */
  #failWith(error: unknown): void {
    if (this.#over || this.#outputs.empty) return this.#endWith(error);
    this.#complete = true;
    this.#interrupted();
    this.#failure = { error };
    this.#inputs.clear();
    this.#input.error(error);
    this.#room?.();
    this.#deliver();
  }

  #endWith(error: unknown): void {
    this.#fail(error);
    this.#finish();
  }

  #fail(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#outputs.clear();
    this.#inputs.clear();
    this.#output.error(reason);
    this.#input.error(reason);
    this.#settle();
  }

  #settle(): void {
    this.#over = true;
    this.#room?.();
    this.#interrupted();
  }

  /** Nothing that an interrupt could wait for is left there: one that comes when all is done is not answered. */
  #interrupted(): void {
    for (const resolve of this.#interrupts.values()) resolve();
    this.#interrupts.clear();
  }

  /** Nothing of it is left there. */
  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#settle();
    const released = this.#place?.release() ?? Promise.resolve();
    void released.then(this.#ended.resolve);
  }
}

function capacityOf({ concurrency = 1, queue }: NodeSpec): number {
  return (queue?.size ?? 1) + concurrency + 1;
}

function emptyStats(name: string, type: string): NodeStats {
  const latency = { p50: 0, p95: 0, p99: 0 };
  return { name, type, in: 0, out: 0, dropped: 0, errors: 0, busyMs: 0, latency, queueDepth: 0 };
}

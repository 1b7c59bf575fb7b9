import { Marker } from "../frames/marker.ts";
import { loggerFor } from "../log.ts";
import type { NodeOutput } from "../node.ts";
import { type NodePhase, PipelineError } from "../errors.ts";
import type { Inlet, Outlet } from "./ends.ts";
import { InletIntake, type Intake, type IntakeOwner, StreamIntake } from "./intake.ts";
import type { NodeSlot } from "./node_slot.ts";

/** Thrown inside a stage to unwind the work that an interrupt made void. Never leaves the stage. */
const INTERRUPTED = Symbol("interrupted");

type Life = "new" | "open" | "ended";

/**
 * Local nodes behind one pair of streams. Holds at most `queueSize` chunks on its writable side, the one
 * that is worked on included, and none on its readable side: a chunk is worked on once somebody reads.
 *
 * Subclasses say how a chunk is worked on ({@linkcode Stage.accept}) and when nothing is left to do
 * ({@linkcode Stage.settled}); this class keeps demand, life cycle, failure and interrupts.
 */
export abstract class Stage {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly slots: readonly NodeSlot[];
  readonly queueSize: number;
  #readableSide!: Outlet;
  #writableSide!: WritableStreamDefaultController;
  readonly #abort = new AbortController();
  #life: Life = "new";
  #opening: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #endReason: unknown;
  #states: ReadonlyMap<string, unknown> = new Map();
  /** Whether somebody waits for a chunk. */
  #demand = false;
  /** Called at the next change of demand, epoch or life. */
  #onChange: (() => void) | undefined;
  /** What the stage reads for itself, instead of being written to. */
  #intake: Intake | undefined;
  readonly #over = Promise.withResolvers<void>();
  /** Chunks that came to the writable side, and those of them that were taken from its queue. */
  #written = 0;
  #taken = 0;
  /** Chunks up to this one were dropped by an interrupt. */
  #dropUntil = 0;
  #epoch = 0;
  /** While set, newly taken chunks wait: an interrupt, or a call of a node that asked for it, is not through. */
  #gate: Promise<void> | undefined;
  /** The nodes that asked to be called between chunks, by their index. */
  readonly #sleepless = new Set<number>();
  /** What such a node gave, until it is out. */
  #awake: void | Promise<void> = undefined;
  #flushing = false;

  constructor(slots: readonly NodeSlot[], queueSize: number) {
    this.slots = slots;
    this.queueSize = queueSize;
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.want();
      },
      cancel: (reason) => {
        this.#writableSide.error(reason);
        return this.#end(reason, this.settled());
      },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
        // abort() waits for the write under way, which may wait for a reader: end that wait at once
        controller.signal.addEventListener("abort", () => {
          void this.stop(controller.signal.reason);
        }, { once: true });
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => this.stop(reason),
    }, {
      highWaterMark: queueSize,
      size: () => {
        this.#written++;
        return 1;
      },
    });
  }

  /** Works on one chunk: gives its outputs to {@linkcode Stage.emit}. May return before it is done. */
  protected abstract accept(chunk: unknown): void | Promise<void>;

  /** Resolves, without ever failing, when no work is under way. */
  protected abstract settled(): Promise<void>;

  /** Resolves when all that was accepted is out; fails if that fails. */
  protected abstract drained(): Promise<void>;

  /** Gives outputs of the node at `index` to the nodes after it. */
  protected abstract deliver(
    index: number,
    output: NodeOutput<unknown>,
    phase: NodePhase,
  ): void | Promise<void>;

  /** Resolves when the work beside the one that just failed is over. */
  protected othersSettled(): Promise<void> {
    return Promise.resolve();
  }

  /** Chunks that wait, the one that is worked on not counted. */
  get queueDepth(): number {
    return Math.max(0, this.#written - this.#taken);
  }

  /** Grows by one with each interrupt: work begun before it is void. */
  protected get epoch(): number {
    return this.#epoch;
  }

  /** The states that the nodes go on from when they open. */
  restore(states: ReadonlyMap<string, unknown>): void {
    if (this.#life !== "new" || this.#opening !== undefined) {
      throw new PipelineError("Cannot restore states as the nodes are open");
    }
    this.#states = states;
  }

  /** Ends the stage from outside: both ends fail with `reason`. */
  stop(reason: unknown): Promise<void> {
    if (this.#life !== "ended") {
      this.#writableSide.error(reason);
      this.#readableSide.error(reason);
    }
    return this.#end(reason, this.settled());
  }

  /** Somebody wants a chunk. */
  want(): void {
    if (this.#life === "new") void this.#openOnce().catch(() => {}); // it failed both streams
    this.#demand = true;
    this.#signalChange();
    this.#intake?.fetch();
  }

  /** Hands one chunk to the reader, at once if it waits for one. */
  protected emit(chunk: unknown): void | Promise<void> {
    if (!this.#demand) return this.#emitLater(chunk);
    this.#hand(chunk);
  }

  #hand(chunk: unknown): void {
    this.#demand = false; // before the chunk is there, as its reader may want another one at once
    if (this.#readableSide.enqueue(chunk) === true) this.#demand = true;
  }

  async #emitLater(chunk: unknown): Promise<void> {
    const epoch = this.#epoch;
    while (!this.#demand) {
      await this.#nextChange();
      if (epoch !== this.#epoch && !(chunk instanceof Marker)) throw INTERRUPTED;
    }
    this.#hand(chunk);
  }

  /** Whether a chunk that is given now goes straight to a reader. */
  protected get wanted(): boolean {
    return this.#demand;
  }

  /** Ends work that an interrupt made void. */
  protected checkEpoch(epoch: number): void {
    if (epoch !== this.#epoch) throw INTERRUPTED;
  }

  async #nextChange(): Promise<void> {
    if (this.#life !== "ended") await new Promise<void>((resolve) => this.onChange(resolve));
    this.throwIfEnded();
  }

  /** Calls back once, at the next change of demand, epoch or life. */
  protected onChange(callback: () => void): void {
    const before = this.#onChange;
    this.#onChange = before === undefined ? callback : () => {
      before();
      callback();
    };
  }

  #signalChange(): void {
    const callback = this.#onChange;
    this.#onChange = undefined;
    callback?.();
  }

  /** Ends work in a stage that has ended meanwhile. */
  protected throwIfEnded(): void {
    if (this.#life === "ended") throw this.#endReason;
  }

  /**
   * Lets the stage read `source` for itself, a chunk for each that somebody wants, instead of being
   * written to: one stream less for a chunk to cross. Resolves, without ever failing, at the end.
   */
  feed(source: ReadableStream<unknown>): Promise<void> {
    const told = (error: unknown) => log.error("Cannot cancel the source: {error}", { error });
    this.#take((owner) => new StreamIntake(owner, source, told));
    return this.#over.promise;
  }

  /** Lets the stage take chunks from `inlet`, instead of being written to. Gives what tells of more. */
  supply(inlet: Inlet): () => void {
    const intake = this.#take((owner) => new InletIntake(owner, inlet));
    return () => {
      if (this.#demand) intake.fetch();
    };
  }

  /** Lets the stage give its chunks to `outlet`, instead of being read. */
  drainInto(outlet: Outlet): void {
    this.readable.getReader(); // nobody else may read
    this.#readableSide = outlet;
    if (this.#life === "ended") outlet.error(this.#endReason);
  }

  #take(makeIntake: (owner: IntakeOwner) => Intake): Intake {
    this.writable.getWriter(); // nobody else may write
    // deno-lint-ignore no-this-alias
    const stage = this;
    const intake = makeIntake({
      get wanted() {
        return stage.#demand;
      },
      get ended() {
        return stage.#life === "ended";
      },
      write(chunk) {
        stage.#written++;
        return stage.#write(chunk);
      },
      close: () => void this.#close().catch(() => {}), // it failed the readable side
      stop: (reason) => void this.stop(reason),
    });
    this.#intake = intake;
    if (this.#life === "ended") intake.cancel(this.#endReason);
    else if (this.#demand) intake.fetch();
    return intake;
  }

  #write(chunk: unknown): void | Promise<void> {
    this.#taken++;
    if (this.#life !== "open" || this.#gate !== undefined || this.#taken <= this.#dropUntil) {
      return this.#writeLater(chunk, this.#taken);
    }
    return this.#work(chunk);
  }

  async #writeLater(chunk: unknown, number: number): Promise<void> {
    await this.#openOnce();
    while (this.#gate !== undefined) await this.#gate;
    this.throwIfEnded();
    if (number <= this.#dropUntil && !(chunk instanceof Marker)) {
      this.slots[0]!.dropped++;
      return;
    }
    await this.#work(chunk);
  }

  #work(chunk: unknown): void | Promise<void> {
    try {
      return this.accept(chunk)?.catch((error: unknown) => this.fail(error));
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Work failed: closes the nodes, then fails both ends. Work that an interrupt ended has not failed. */
  protected async fail(error: unknown): Promise<void> {
    if (error === INTERRUPTED) return;
    if (this.#life === "ended") throw this.#endReason;
    await this.#end(error, this.othersSettled(), false);
    this.#readableSide.error(error);
    this.#writableSide.error(error);
    throw error;
  }

  /** Opens the nodes, the first time that it is called. */
  #openOnce(): Promise<void> {
    this.#opening ??= this.#open().catch((error) => this.fail(error));
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { signal } = this.#abort;
    for (const [index, slot] of this.slots.entries()) {
      const wake = () => this.#wake(index);
      await slot.open({ signal, state: this.#states.get(slot.name), wake });
      this.throwIfEnded();
    }
    this.#life = "open";
  }

  async #close(): Promise<void> {
    await this.#openOnce();
    while (this.#gate !== undefined) await this.#gate;
    this.#flushing = true; // what a node wants to give by itself, its flush() gives
    try {
      await this.drained();
      for (const [index, slot] of this.slots.entries()) {
        await this.#deliverLast(index, slot);
      }
    } catch (error) {
      await this.fail(error);
      return;
    }
    this.throwIfEnded();
    this.#life = "ended";
    this.#over.resolve();
    const failed = await this.#closeNodes(undefined);
    if (failed !== undefined) {
      this.#readableSide.error(failed);
      throw failed;
    }
    this.#readableSide.close();
  }

  async #deliverLast(index: number, slot: NodeSlot): Promise<void> {
    try {
      await this.deliver(index, slot.flush(), "flush");
    } catch (error) {
      if (error !== INTERRUPTED) throw error; // an interrupt drops what flush() gave, not the end
    }
  }

  /** Ends the work, then closes the nodes, the first time that it is called. */
  #end(reason: unknown, settled: Promise<void>, fromOutside = true): Promise<void> {
    this.#ending ??= this.#endNow(reason, settled, fromOutside);
    return this.#ending;
  }

  async #endNow(reason: unknown, settled: Promise<void>, fromOutside: boolean): Promise<void> {
    const started = this.#opening !== undefined;
    this.#life = "ended";
    this.#over.resolve();
    this.#intake?.cancel(reason);
    this.#endReason = reason;
    this.#abort.abort(reason);
    this.#signalChange();
    if (fromOutside) await this.#opening?.catch(() => {}); // whoever opened it was told
    await settled;
    if (fromOutside) await this.#awake?.catch(() => {}); // told by whoever waits for it
    if (started) {
      const failed = await this.#closeNodes(reason);
      if (failed !== undefined) log.error("{error}", { error: failed });
    }
  }

  /** Closes every node, and gives the first error of those that failed to. */
  async #closeNodes(reason: unknown): Promise<unknown> {
    let first: unknown;
    for (const slot of this.slots) {
      try {
        await slot.close(reason);
      } catch (error) {
        if (first === undefined) first = error;
        else log.error("{error}", { error });
      }
    }
    return first;
  }

  /** Drops what waits on the writable side now. */
  dropQueued(): void {
    this.#dropUntil = this.#written;
  }

  /**
   * Voids what is queued and worked on: nothing of it comes out any more. Chunks taken after that wait
   * for `release`, for the work under way to end, and for what the nodes' `onInterrupt()` gave to be read.
   */
  interrupt(release: Promise<unknown>): void {
    if (this.#life === "ended") return;
    this.#epoch++;
    this.dropQueued();
    const outputs: NodeOutput<unknown>[] = [];
    try {
      if (this.#life === "open") { for (const slot of this.slots) outputs.push(slot.interrupt()); }
    } catch (error) {
      void this.fail(error).catch(() => {}); // both streams tell it
      return;
    }
    this.#signalChange();
    this.#holdUntil(this.#afterInterrupt(
      Promise.all([this.#gate, this.settled(), release]),
      outputs,
    ));
  }

  /** Makes newly taken chunks wait for `gate`, which never fails. */
  #holdUntil(gate: Promise<void>): void {
    this.#gate = gate;
    void gate.then(() => {
      if (this.#gate === gate) this.#gate = undefined;
    });
  }

  async #afterInterrupt(ready: Promise<unknown>, outputs: NodeOutput<unknown>[]): Promise<void> {
    await ready;
    try {
      for (const [index, output] of outputs.entries()) {
        await this.deliver(index, output, "interrupt");
      }
    } catch (error) {
      await this.fail(error).catch(() => {}); // both streams tell it
    }
  }

  /** A node asks to be called when no chunk is worked on. */
  #wake(index: number): void {
    if (this.#life === "ended" || this.#flushing || this.#sleepless.has(index)) return;
    this.#sleepless.add(index);
    this.#holdUntil(this.#callAwake(index, this.#gate));
  }

  async #callAwake(index: number, gate: Promise<void> | undefined): Promise<void> {
    try {
      await this.#opening;
      await gate;
      await this.settled();
      this.#sleepless.delete(index);
      this.throwIfEnded();
      this.#awake = this.deliver(index, this.slots[index]!.wake(), "wake");
      await this.#awake;
    } catch (error) {
      if (this.#life !== "ended") await this.fail(error).catch(() => {}); // both streams tell it
    }
  }
}

const log = loggerFor("stage");

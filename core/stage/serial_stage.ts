import { Marker } from "../frames/marker.ts";
import type { NodePhase } from "../errors.ts";
import type { NodeOutput } from "../node.ts";
import { isDeferred, isIterator, isPromise } from "./_outputs.ts";
import type { NodeSlot } from "./node_slot.ts";
import { Stage } from "./stage.ts";

/**
 * Nodes that work on one chunk at a time, one after another. A chunk goes through all of them in one
 * call, without a promise or a queue between, for as long as they give plain values.
 */
export class SerialStage extends Stage {
  #work: Promise<void> | undefined;

  protected override accept(chunk: unknown): void | Promise<void> {
    const work = this.wanted ? this.#run(0, chunk) : this.#runWhenWanted(chunk);
    if (work === undefined) return;
    this.#work = work;
    return work;
  }

  protected override async settled(): Promise<void> {
    await this.#work?.catch(() => {}); // whoever wrote the chunk is told
  }

  protected override async drained(): Promise<void> {
    // the writable side closes only after its last write is done
  }

  protected override deliver(
    index: number,
    output: NodeOutput<unknown>,
    phase: NodePhase,
  ): void | Promise<void> {
    if (output === undefined) return;
    const slot = this.slots[index]!;
    if (typeof output === "object" && output !== null) {
      if (isPromise(output)) return this.#deliverPromise(index, output, phase);
      if (isIterator(output)) return this.#deliverAll(index, output, phase);
    }
    slot.out++;
    return this.#run(index + 1, output);
  }

  /** Works on a chunk once somebody reads; with callbacks, for each chunk of a pipe comes this way. */
  #runWhenWanted(chunk: unknown): Promise<void> {
    const { epoch } = this;
    return new Promise<void>((resolve, reject) => {
      const run = () => {
        try {
          this.throwIfEnded();
          if (!(chunk instanceof Marker)) this.checkEpoch(epoch);
          if (!this.wanted) return this.onChange(run);
          const later = this.#run(0, chunk);
          if (later === undefined) resolve();
          else later.then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      };
      this.onChange(run);
    });
  }

  #run(from: number, input: unknown): void | Promise<void> {
    let chunk = input;
    for (let index = from; index < this.slots.length; index++) {
      const slot: NodeSlot = this.slots[index]!;
      if (typeof chunk === "object" && chunk instanceof Marker) {
        const marked = slot.mark(chunk);
        if (marked !== undefined) return this.#runAfter(marked, index + 1, chunk);
        continue;
      }
      const output = slot.process(chunk);
      if (output !== chunk) {
        if (output === undefined) return;
        if (isDeferred(output)) return this.deliver(index, output, "process");
        chunk = output;
      }
      slot.out++;
    }
    return this.emit(chunk);
  }

  async #runAfter(before: Promise<void>, index: number, chunk: unknown): Promise<void> {
    await before;
    this.throwIfEnded();
    await this.#run(index, chunk);
  }

  async #deliverPromise(
    index: number,
    promise: PromiseLike<unknown>,
    phase: NodePhase,
  ): Promise<void> {
    const slot = this.slots[index]!;
    const { epoch } = this;
    const chunkIndex = slot.lastIndex;
    const start = performance.now();
    let output: unknown;
    try {
      output = await promise;
    } catch (cause) {
      throw slot.failure(phase, cause, chunkIndex);
    }
    slot.record(performance.now() - start);
    this.throwIfEnded();
    this.checkEpoch(epoch);
    await this.deliver(index, output, phase);
  }

  /** Gives a generator's values on one by one, and ends it where nobody wants more. */
  async #deliverAll(
    index: number,
    generator: Iterator<unknown> | AsyncIterator<unknown>,
    phase: NodePhase,
  ): Promise<void> {
    const slot = this.slots[index]!;
    const { epoch } = this;
    const chunkIndex = slot.lastIndex;
    let busyMs = 0;
    let done = false;
    try {
      while (true) {
        const start = performance.now();
        let step: IteratorResult<unknown>;
        try {
          const next = generator.next();
          step = isPromise(next) ? await next : next;
        } catch (cause) {
          done = true;
          throw slot.failure(phase, cause, chunkIndex);
        }
        busyMs += performance.now() - start;
        if (step.done) {
          done = true;
          break;
        }
        this.throwIfEnded();
        this.checkEpoch(epoch);
        if (step.value === undefined) continue;
        slot.out++;
        const later = this.#run(index + 1, step.value);
        if (later !== undefined) await later;
      }
    } finally {
      slot.record(busyMs);
      if (!done) await generator.return?.();
    }
  }
}

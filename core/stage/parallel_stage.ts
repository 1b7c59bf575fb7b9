import { Marker } from "../frames/marker.ts";
import type { NodePhase } from "../errors.ts";
import type { NodeOutput } from "../node.ts";
import { isIterator, isPromise } from "./_outputs.ts";
import type { NodeSlot } from "./node_slot.ts";
import { Stage } from "./stage.ts";

/** A chunk that is worked on, or a marker that waits for its turn. */
interface Job {
  epoch: number;
  marker?: Marker;
  /** Of the chunk; of the one before a marker. */
  chunkIndex?: number;
  output?: Promise<NodeOutput<unknown>>;
}

/**
 * One node that works on up to `concurrency` chunks at once; outputs come in the order of the inputs.
 * A generator is only run once its turn has come, so what waits is bounded by `concurrency`.
 */
export class ParallelStage extends Stage {
  readonly #jobs: Job[] = [];
  readonly #concurrency: number;
  #drain: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(
    slot: NodeSlot,
    { queueSize, concurrency }: { queueSize: number; concurrency: number },
  ) {
    super([slot], queueSize);
    this.#concurrency = concurrency;
  }

  override get queueDepth(): number {
    return super.queueDepth + this.#jobs.length;
  }

  protected override accept(chunk: unknown): void | Promise<void> {
    const { epoch } = this;
    this.#jobs.push(
      chunk instanceof Marker
        ? { epoch, marker: chunk, chunkIndex: this.slots[0]!.lastIndex }
        : this.#start(chunk),
    );
    this.#drain ??= this.#drainAll();
    if (this.#jobs.length < this.#concurrency) return;
    this.#room = Promise.withResolvers<void>();
    return this.#room.promise;
  }

  protected override async settled(): Promise<void> {
    await Promise.allSettled(this.#jobs.map((job) => job.output));
    await this.#drain;
  }

  protected override async drained(): Promise<void> {
    await this.#drain;
    this.throwIfEnded();
  }

  protected override async othersSettled(): Promise<void> {
    await Promise.allSettled(this.#jobs.map((job) => job.output));
  }

  protected override async deliver(
    _index: number,
    output: NodeOutput<unknown>,
    phase: NodePhase,
    chunkIndex?: number,
  ): Promise<void> {
    const slot = this.slots[0]!;
    let value: unknown;
    try {
      value = await output;
    } catch (cause) {
      throw slot.failure(phase, cause, chunkIndex);
    }
    if (value === undefined) return;
    if (typeof value === "object" && value !== null && isIterator(value)) {
      return this.#deliverAll(value, phase, chunkIndex);
    }
    slot.out++;
    await this.emit(value);
  }

  #start(chunk: unknown): Job {
    const output = this.#process(chunk);
    output.catch(() => {}); // told when its turn comes
    return { epoch: this.epoch, chunkIndex: this.slots[0]!.lastIndex, output };
  }

  async #process(chunk: unknown): Promise<NodeOutput<unknown>> {
    const slot = this.slots[0]!;
    const output = slot.process(chunk);
    const chunkIndex = slot.lastIndex;
    if (typeof output !== "object" || output === null || !isPromise(output)) return output;
    const start = performance.now();
    try {
      return await output;
    } catch (cause) {
      throw slot.failure("process", cause, chunkIndex);
    } finally {
      slot.record(performance.now() - start);
    }
  }

  /** Takes the jobs in their order until none is left. Never fails: {@linkcode Stage.fail} tells the streams. */
  async #drainAll(): Promise<void> {
    while (this.#jobs.length > 0) {
      const job = this.#jobs[0]!;
      try {
        await this.#finish(job);
      } catch (error) {
        try {
          await this.fail(error);
        } catch {
          this.#jobs.length = 0; // the streams have failed: what waits is void
          this.#room?.resolve();
          break;
        }
      }
      this.#jobs.shift();
      this.#room?.resolve();
      this.#room = undefined;
    }
    this.#drain = undefined;
  }

  async #finish(job: Job): Promise<void> {
    if (job.marker !== undefined) {
      await this.slots[0]!.mark(job.marker, job.chunkIndex);
      await this.emit(job.marker);
      return;
    }
    const output = await job.output;
    this.throwIfEnded();
    this.checkEpoch(job.epoch);
    await this.deliver(0, output, "process", job.chunkIndex);
  }

  async #deliverAll(
    generator: Iterator<unknown> | AsyncIterator<unknown>,
    phase: NodePhase,
    chunkIndex: number | undefined,
  ): Promise<void> {
    const slot = this.slots[0]!;
    const { epoch } = this;
    let done = false;
    try {
      while (true) {
        let step: IteratorResult<unknown>;
        try {
          step = await generator.next();
        } catch (cause) {
          done = true;
          throw slot.failure(phase, cause, chunkIndex);
        }
        if (step.done) {
          done = true;
          break;
        }
        this.throwIfEnded();
        this.checkEpoch(epoch);
        if (step.value === undefined) continue;
        slot.out++;
        await this.emit(step.value);
      }
    } finally {
      if (!done) await generator.return?.();
    }
  }
}

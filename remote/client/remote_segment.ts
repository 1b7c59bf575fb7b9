import { PipelineError } from "../../core/errors.ts";
import type { NodeSpec, Segment } from "../../core/executor.ts";
import { loggerFor } from "../../core/log.ts";
import { type Intake, StreamIntake } from "../../core/stage/intake.ts";
import type { NodeStats } from "../../core/stats.ts";
import { writeStates } from "../wire/messages.ts";
import { ChunkStream, NONE } from "./chunk_stream.ts";
import { InputSide } from "./input_side.ts";
import { OutputSide } from "./output_side.ts";
import type { SegmentHost } from "./segment_host.ts";
import { SessionLink } from "./session_link.ts";

/** Nodes that run on a server, behind two local streams. */
export class RemoteSegment implements Segment {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly #specs: readonly NodeSpec[];
  readonly #host: SegmentHost;
  readonly #inputs: InputSide;
  readonly #outputs: OutputSide;
  readonly #link: SessionLink;
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #writableSide!: WritableStreamDefaultController;
  /** What it reads for itself, instead of being written to; and what tells that it has ended. */
  #intake: Intake | undefined;
  readonly #over = Promise.withResolvers<void>();
  #closing: PromiseWithResolvers<void> | undefined;
  /** Whether somebody waits for an output. */
  #wanted = false;
  /** All outputs have come; then all are read as well. */
  #finished = false;
  #ended = false;
  #failure: unknown;
  readonly #interrupts = new Map<bigint, PromiseWithResolvers<void>>();

  constructor(specs: readonly NodeSpec[], host: SegmentHost) {
    this.#specs = specs;
    this.#host = host;
    this.#inputs = new InputSide(host.limits);
    this.#outputs = new OutputSide(host.limits, (inputSeq) => this.#inputs.trim(inputSeq));
    this.#link = new SessionLink(specs, host, {
      inputs: this.#inputs,
      outputs: this.#outputs,
      received: () => this.#give(),
      interrupted: (id) => this.#interrupted(id),
      over: (failure) => this.#finishAfterOutputs(failure),
    });
    this.readable = new ChunkStream({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#wanted = true;
        this.#link.begin();
        this.#give();
      },
      cancel: (reason) => {
        this.#writableSide.error(reason);
        this.#end(reason);
      },
    }, () => this.#takeNow());
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
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
        this.#inputs.count();
        return 1;
      },
    });
  }

  /** As many as may be on their way, and the one that waits to be. */
  get capacity(): number {
    return this.#host.limits.chunks + 1;
  }

  stats(): NodeStats[] {
    return this.#link.stats;
  }

  restore(states: ReadonlyMap<string, unknown>): void {
    if (this.#link.begun) throw new PipelineError("Cannot restore states as the nodes are open");
    const names = new Set(this.#specs.map(({ name }) => name));
    // which nodes a pipeline has that the server keeps is not known here
    const held = [...states].filter(([name]) => names.size === 0 || names.has(name));
    if (held.length > 0) this.#outputs.beginAt(writeStates(new Map(held)));
  }

  /** Reads all of a source, a stream less for a chunk to cross than if it were written. */
  feed(source: ReadableStream<unknown>): Promise<void> {
    this.writable.getWriter(); // nobody else may write
    const isOver = () => this.#finished || this.#ended;
    this.#intake = new StreamIntake(
      {
        wanted: true, // there is room whenever a write is done
        get ended() {
          return isOver();
        },
        write: (chunk) => this.#writeCounted(chunk),
        close: () => void this.#close().catch(() => {}), // it failed the readable side
        stop: (reason) => {
          if (!isOver()) void this.stop(reason); // else whoever ended it knows
        },
      },
      source,
      (error) => log.error("Cannot cancel the source: {error}", { error }),
    );
    if (this.#ended) this.#intake.cancel(this.#failure);
    else this.#intake.fetch();
    return this.#over.promise;
  }

  stop(reason: unknown): Promise<void> {
    if (!this.#ended) {
      this.#writableSide.error(reason);
      this.#readableSide.error(reason);
    }
    this.#end(reason);
    return Promise.resolve();
  }

  async interrupt(): Promise<void> {
    if (this.#ended) return;
    this.#inputs.drop();
    this.#outputs.drop();
    if (this.#finished) return this.#give(); // nothing comes any more
    if (!this.#link.begun) return;
    const id = BigInt(crypto.getRandomValues(new Uint32Array(1))[0]!);
    const done = Promise.withResolvers<void>();
    this.#interrupts.set(id, done);
    this.#outputs.setInterrupted(true);
    this.#inputs.interrupt(id);
    this.#outputs.checkReading();
    await done.promise;
  }

  #interrupted(id: bigint): void {
    this.#interrupts.get(id)?.resolve();
    this.#interrupts.delete(id);
    this.#outputs.setInterrupted(this.#interrupts.size > 0);
  }

  #write(chunk: unknown): void | Promise<void> {
    this.#link.begin();
    try {
      return this.#inputs.write(chunk);
    } catch (error) { // it cannot travel
      void this.stop(error);
      throw error;
    }
  }

  #writeCounted(chunk: unknown): void | Promise<void> {
    this.#inputs.count();
    try {
      return this.#write(chunk);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #close(): Promise<void> {
    this.#link.begin();
    this.#closing = Promise.withResolvers<void>();
    this.#link.finish();
    await this.#closing.promise;
  }

  /** Hands an output to whoever waits for one. */
  #give(): void {
    if (this.#wanted && !this.#ended) {
      const chunk = this.#outputs.take();
      if (chunk !== NONE) {
        this.#wanted = false;
        this.#readableSide.enqueue(chunk);
      }
    }
    if (this.#finished && !this.#ended && this.#outputs.empty) this.#finish();
  }

  /** An output for whoever iterates, if it is there and nobody else waits for one. */
  #takeNow(): unknown {
    if (this.#wanted || this.#ended) return NONE;
    const chunk = this.#outputs.take();
    if (this.#finished && this.#outputs.empty) this.#finish();
    return chunk;
  }

  /** No output comes any more; those that came are read first. */
  #finishAfterOutputs(failure: unknown): void {
    if (this.#ended) return;
    this.#finished = true;
    this.#settleInterrupts();
    if (failure !== undefined) {
      this.#failure = failure;
      this.#writableSide.error(failure);
      this.#intake?.cancel(failure);
      this.#inputs.end(failure);
    }
    this.#give();
  }

  /** All outputs are read. */
  #finish(): void {
    const failure = this.#failure;
    if (failure === undefined) this.#readableSide.close();
    else this.#readableSide.error(failure);
    this.#end(failure);
  }

  #end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = reason;
    this.#link.cancel(reason);
    this.#host.ended(reason);
    this.#intake?.cancel(reason);
    this.#over.resolve();
    this.#outputs.clear();
    this.#inputs.end(reason);
    this.#settleInterrupts();
    if (reason === undefined) this.#closing?.resolve();
    else {
      this.#closing?.promise.catch(() => {}); // whoever closed it is told
      this.#closing?.reject(reason);
    }
  }

  /** Nothing of before any interrupt comes any more. */
  #settleInterrupts(): void {
    for (const { resolve } of this.#interrupts.values()) resolve();
    this.#interrupts.clear();
  }
}

const log = loggerFor("remote");

import { Marker } from "../../core/frames/mod.ts";
import { Barrier } from "../../core/stage/barrier.ts";
import type { Outlet } from "../../core/stage/ends.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { writeCounts, writeResponse, writeStates } from "../wire/messages.ts";

/** What bounds the outputs of a session. */
export interface OutputLimits {
  /** Outputs that the client has not yet told as consumed; beyond, the nodes wait. */
  outputWindow: number;
  /** Bytes of outputs that the client has not yet told as consumed; beyond, the nodes wait. */
  outputBytes: number;
  /** Bytes of outputs that wait for the connection; beyond, the nodes wait. */
  batchBytes: number;
}

/** What a {@linkcode SessionOutputs} is made of. */
interface SessionOutputsInit {
  /** Sends a message; resolves once the connection has taken it. */
  send(message: Uint8Array): Promise<void>;
  /** More outputs are wanted. */
  want(): void;
  /** The connection failed. */
  failed(error: unknown): void;
  /** What bounds them. */
  limits: OutputLimits;
  /** How many outputs the client had before. */
  outputSeq: number;
}

/**
 * What comes out of a session's nodes, on its way to the client in batches. Outputs are collected only while a
 * message is on its way, or while inputs that came together are worked on. Beside what the limits say, it
 * holds one output for which there is no room, and one full batch is sent beside another.
 */
export class SessionOutputs implements Outlet {
  /** Resolves when all outputs came; fails with what the nodes failed with, once those before it are in a batch. */
  readonly over: Promise<void>;
  readonly #init: SessionOutputsInit;
  readonly #over = Promise.withResolvers<void>();
  readonly #batch = new BatchWriter();
  #batchMarkers: Marker[] = [];
  /** An output for which there was no room. An Ack behind it waits with it, one that comes next does not wait. */
  #held: { output: unknown } | undefined;
  /** What ends the outputs, once none is held. */
  #end: (() => void) | undefined;
  /** Whether the nodes wait until told that more is wanted. */
  #full = false;
  #collecting = false;
  /** Batches that are on their way, and Acks. */
  #sending = 0;
  #acks = 0;
  #lastSent: Promise<void> = Promise.resolve();
  /** The last output that was sent, and the last that the client consumed; the same in bytes. */
  #sentSeq: number;
  #consumedSeq: number;
  #sentBytes = 0;
  #consumedBytes = 0;

  constructor(init: SessionOutputsInit) {
    this.#init = init;
    this.#sentSeq = init.outputSeq;
    this.#consumedSeq = init.outputSeq;
    this.over = this.#over.promise;
    this.over.catch(() => {}); // whoever runs the session is told
  }

  /** The last output that was sent. */
  get sentSeq(): number {
    return this.#sentSeq;
  }

  /** Lets outputs that come while `work` runs go in one message. */
  collect(work: () => void): void {
    this.#collecting = true;
    try {
      work();
    } finally {
      this.#collecting = false;
    }
    this.#sendNext();
  }

  enqueue(output: unknown): boolean {
    if (output instanceof Barrier) {
      this.#full = true; // until the Ack is out: a client that asks for many and reads none is not served
      void this.#acknowledge(output).catch(this.#init.failed);
    } else if (this.#hasRoom) {
      this.#add(output);
    } else {
      this.#full = true;
      this.#held = { output };
    }
    return !this.#full;
  }

  close(): void {
    this.#end = () => this.#over.resolve();
    this.#progress();
  }

  error(reason: unknown): void {
    this.#end = () => this.#over.reject(reason);
    this.#progress();
  }

  /** Ends at once, for `reason`. */
  stop(reason: unknown): void {
    this.#held = undefined;
    this.#over.reject(reason);
  }

  /** The client has consumed outputs up to one, and so many bytes of messages. */
  grant(outputSeq: number, bytes: number): void {
    if (outputSeq > this.#consumedSeq) this.#consumedSeq = outputSeq;
    if (bytes > this.#consumedBytes) this.#consumedBytes = bytes;
    this.#progress();
  }

  /** Drops what is not sent, but markers. */
  drop(): void {
    if (!(this.#held?.output instanceof Marker)) this.#held = undefined;
    const markers = this.#batchMarkers;
    this.#batch.clear();
    for (const marker of markers) this.#batch.add(marker);
    this.#progress();
  }

  /** Sends the batch; resolves when it and all before it have gone out. */
  flush(): Promise<void> {
    if (this.#batch.count === 0) return this.#lastSent;
    const { message, count } = this.#batch.finish(this.#sentSeq + 1);
    this.#sentSeq += count;
    this.#sentBytes += message.length;
    this.#batchMarkers = [];
    this.#sending++;
    return this.#lastSent = this.#init.send(message).then(
      () => {
        this.#sending--;
        this.#batch.reuse(message); // gRPC has made a copy, with its header
        this.#sendNext();
        this.#progress();
      },
      this.#init.failed,
    );
  }

  #add(output: unknown): void {
    this.#batch.add(output);
    if (output instanceof Marker) this.#batchMarkers.push(output);
    if (!this.#collecting || this.#isBatchFull) this.#sendNext();
  }

  get #isBatchFull(): boolean {
    return this.#batch.size >= this.#init.limits.batchBytes;
  }

  /** Whether no more is unsent, or unconsumed, than may be. */
  get #hasRoom(): boolean {
    const { outputWindow, outputBytes } = this.#init.limits;
    return !this.#isBatchFull &&
      this.#sentSeq + this.#batch.count - this.#consumedSeq < outputWindow &&
      this.#sentBytes - this.#consumedBytes < outputBytes;
  }

  /** Something has gone out, or credit has come in. */
  #progress(): void {
    if (this.#acks > 0) return;
    if (this.#held !== undefined) {
      if (!this.#hasRoom) return;
      const { output } = this.#held;
      this.#held = undefined;
      try {
        this.#add(output);
      } catch (error) {
        return this.#init.failed(error); // it cannot travel
      }
    }
    if (this.#end !== undefined) return this.#end();
    if (!this.#full) return;
    this.#full = false;
    this.collect(this.#init.want);
  }

  async #acknowledge({ sequence, snapshot, states, counts }: Barrier): Promise<void> {
    void this.flush();
    const value = {
      inputSeq: BigInt(sequence),
      outputSeq: BigInt(this.#sentSeq),
      snapshot,
      states: writeStates(states),
      counts: writeCounts(counts),
    };
    this.#acks++;
    await this.#init.send(writeResponse({ case: "ack", value }));
    this.#acks--;
    this.#progress();
  }

  /** Sends the batch if none is on its way, or it is full and only one is. */
  #sendNext(): void {
    const most = this.#isBatchFull ? 2 : 1;
    if (this.#sending < most && this.#batch.count > 0) void this.flush();
  }
}

import { Marker } from "../../core/frames/mod.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import { Barrier } from "../../core/stage/barrier.ts";
import type { NodeStats } from "../../core/stats.ts";
import type { ReadBatch } from "../wire/batch_reader.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { writeResponse, writeStates, writeStats } from "../wire/messages.ts";
import { InputQueue } from "./input_queue.ts";

/** Where a session's messages go. */
export interface SessionSink {
  /** Sends a message; resolves once the connection has taken it. */
  send(message: Uint8Array): Promise<void>;
  /** Stops or goes on reading messages of the client. */
  setReading(reading: boolean): void;
  /** Told from time to time, and at the end. What it throws ends the session. */
  onStats?(stats: readonly NodeStats[]): void;
}

/** What bounds a session's memory. */
export interface SessionLimits {
  /** Memory of inputs that wait for the nodes, in bytes; beyond, the connection is not read. */
  readonly inputBytes: number;
  /** Outputs that the client has not yet told as consumed; beyond, the nodes wait. */
  outputWindow: number;
  /** Bytes of outputs that the client has not yet told as consumed; beyond, the nodes wait. */
  outputBytes: number;
  /** Bytes of outputs that wait for the connection; beyond, the nodes wait. */
  batchBytes: number;
}

/** How often a session tells its stats, in ms. */
const STATS_INTERVAL = 500;

/**
 * One live segment: feeds inputs to a pipeline, and sends what comes out in batches. Outputs are collected
 * only while a message is on its way, so none is delayed on an idle connection.
 */
export class Session {
  readonly #pipeline: Pipeline;
  readonly #sink: SessionSink;
  readonly #limits: SessionLimits;
  readonly #inputs = new InputQueue();
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  readonly #batch = new BatchWriter();
  #batchMarkers: Marker[] = [];
  #wake: PromiseWithResolvers<void> | undefined;
  #inputEnded = false;
  #reading = true;
  #sending: Promise<void> | undefined;
  #sendError: unknown;
  /** The last output that was sent, and the last that the client consumed. */
  #sentSeq: number;
  #consumedSeq: number;
  /** The same in bytes. */
  #sentBytes = 0;
  #consumedBytes = 0;
  #credit: PromiseWithResolvers<void> | undefined;
  /** How often outputs were dropped: one that is held back then is dropped too. */
  #interrupts = 0;
  /** Stats that are on their way. */
  #telling: Promise<void> | undefined;
  #stopped = false;

  /** @param pipeline fresh; @param options where to send to, the bounds, and how many outputs came before */
  constructor(
    pipeline: Pipeline,
    { sink, limits, outputSeq = 0 }: {
      sink: SessionSink;
      limits: SessionLimits;
      outputSeq?: number;
    },
  ) {
    this.#pipeline = pipeline;
    this.#sink = sink;
    this.#limits = limits;
    this.#sentSeq = outputSeq;
    this.#consumedSeq = outputSeq;
    this.#writer = pipeline.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
    this.#reader = pipeline.readable.getReader();
    void this.#writer.closed.catch(() => {}); // the reader is told the same
  }

  /** Runs until all outputs are sent. @throws what a node threw, or what {@linkcode Session.stop} was told */
  async run(): Promise<void> {
    const stats = setInterval(
      () => void this.#sendStats().catch((error) => this.stop(error)),
      STATS_INTERVAL,
    );
    try {
      void this.#feed().catch(() => {}); // the reader is told the same
      await this.#drain();
      await this.#telling;
      await this.#sendStats();
    } catch (error) {
      await this.#flush().catch(() => {}); // what came out before the failure goes first
      await this.#pipeline.stop(error);
      throw error;
    } finally {
      clearInterval(stats);
    }
  }

  /** Bytes of inputs that wait for the nodes. */
  get queuedBytes(): number {
    return this.#inputs.bytes;
  }

  /** Takes inputs. */
  put(batch: ReadBatch, bytes: number): void {
    this.#inputs.put(batch, bytes);
    this.#signal();
    if (this.#inputs.cost > this.#limits.inputBytes) this.#setReading(false);
  }

  /** No input follows. */
  endInput(): void {
    this.#inputEnded = true;
    this.#signal();
  }

  /** The client sends nothing more, credit neither. */
  halfClosed(): void {
    this.endInput();
    this.grant(Infinity, Infinity);
  }

  /** The client has consumed outputs up to one, and so many bytes of messages. */
  grant(outputSeq: number, bytes: number): void {
    if (outputSeq > this.#consumedSeq) this.#consumedSeq = outputSeq;
    if (bytes > this.#consumedBytes) this.#consumedBytes = bytes;
    this.#credit?.resolve();
    this.#credit = undefined;
  }

  /** Drops what came in and is not out, and tells when nothing of it can come. */
  async interrupt(id: bigint): Promise<void> {
    this.#inputs.drop();
    this.#dropOutputs();
    await this.#pipeline.interrupt();
    this.#dropOutputs();
    void this.#flush();
    const outputSeq = BigInt(this.#sentSeq);
    await this.#sink.send(writeResponse({ case: "interrupted", value: { id, outputSeq } }));
  }

  /** Ends the session from outside. */
  async stop(reason: unknown): Promise<void> {
    this.#stopped = true;
    this.#signal();
    this.#credit?.resolve();
    await this.#pipeline.stop(reason);
  }

  #signal(): void {
    this.#wake?.resolve();
    this.#wake = undefined;
  }

  #setReading(reading: boolean): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#sink.setReading(reading);
  }

  /** Gives inputs to the nodes, as fast as they take them. */
  async #feed(): Promise<void> {
    const writer = this.#writer;
    while (!this.#stopped) {
      while (!this.#inputs.empty) {
        if (writer.desiredSize! <= 0) {
          await writer.ready;
          continue; // an interrupt may have emptied the queue
        }
        void writer.write(this.#inputs.take()).catch(() => {}); // the reader is told the same
        if (!this.#reading && this.#inputs.cost <= this.#limits.inputBytes / 2) {
          this.#setReading(true);
        }
      }
      if (this.#inputEnded) return await writer.close();
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }

  /** Sends what comes out of the nodes. */
  async #drain(): Promise<void> {
    const { batchBytes } = this.#limits;
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      if (value instanceof Barrier) {
        await this.#acknowledge(value);
        continue;
      }
      // waited for before a chunk, not behind it: an Ack that follows must not wait for credit
      const interrupts = this.#interrupts;
      while (this.#batch.size >= batchBytes || this.#isAhead) {
        if (this.#sendError !== undefined) throw this.#sendError;
        await this.#progress();
      }
      if (this.#interrupts !== interrupts && !(value instanceof Marker)) continue; // void by now
      this.#batch.add(value);
      if (value instanceof Marker) this.#batchMarkers.push(value);
      if (this.#sending === undefined) void this.#flush();
    }
    await this.#flush();
  }

  /** Whether so much is unconsumed that the nodes have to wait. */
  get #isAhead(): boolean {
    const { outputWindow, outputBytes } = this.#limits;
    return this.#sentSeq + this.#batch.count - this.#consumedSeq >= outputWindow ||
      this.#sentBytes - this.#consumedBytes >= outputBytes;
  }

  /** Resolves when a message has gone out or credit has come in. */
  async #progress(): Promise<void> {
    if (this.#stopped) await this.#reader.read(); // fails with the reason
    if (this.#batch.size >= this.#limits.batchBytes) return await this.#flush();
    this.#credit = Promise.withResolvers<void>();
    await this.#credit.promise;
  }

  async #acknowledge({ sequence, snapshot, states }: Barrier): Promise<void> {
    void this.#flush();
    const value = {
      inputSeq: BigInt(sequence),
      outputSeq: BigInt(this.#sentSeq),
      snapshot,
      states: writeStates(states),
    };
    await this.#sink.send(writeResponse({ case: "ack", value }));
  }

  #dropOutputs(): void {
    this.#interrupts++;
    const markers = this.#batchMarkers;
    this.#batch.clear();
    for (const marker of markers) this.#batch.add(marker);
    this.#credit?.resolve();
    this.#credit = undefined;
  }

  /** Sends the batch; resolves when it and all before it have gone out. */
  #flush(): Promise<void> {
    if (this.#batch.count === 0) return this.#sending ?? Promise.resolve();
    const { message, count } = this.#batch.finish(this.#sentSeq + 1);
    this.#sentSeq += count;
    this.#sentBytes += message.length;
    this.#batchMarkers = [];
    const sending = this.#sink.send(message).then(
      () => {
        if (this.#sending !== sending) return;
        this.#sending = undefined;
        if (this.#batch.count > 0) void this.#flush();
      },
      (error) => {
        this.#sendError = error;
        void this.stop(error);
      },
    );
    return this.#sending = sending;
  }

  async #sendStats(): Promise<void> {
    const stats = this.#pipeline.stats();
    this.#sink.onStats?.(stats);
    if (this.#telling !== undefined) return; // the client does not read
    const nodes = stats.map(writeStats);
    this.#telling = this.#sink.send(writeResponse({ case: "stats", value: { nodes } }));
    try {
      await this.#telling;
    } finally {
      this.#telling = undefined;
    }
  }
}

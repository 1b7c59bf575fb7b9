import { drive, type Pipeline } from "../../core/pipeline.ts";
import { type Drive, EMPTY, END } from "../../core/stage/ends.ts";
import type { NodeStats } from "../../core/stats.ts";
import type { ReadBatch } from "../wire/batch_reader.ts";
import { writeResponse, writeStats } from "../wire/messages.ts";
import { InputQueue } from "./input_queue.ts";
import { type OutputLimits, SessionOutputs } from "./session_outputs.ts";

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
export interface SessionLimits extends OutputLimits {
  /** Memory of inputs that wait for the nodes, in bytes; beyond, the connection is not read. */
  readonly inputBytes: number;
}

/** How often a session tells its stats, in ms. */
const STATS_INTERVAL = 500;

/** One live segment: lets a pipeline have inputs as it wants them, and sends what comes out. */
export class Session {
  readonly #pipeline: Pipeline;
  readonly #sink: SessionSink;
  readonly #limits: SessionLimits;
  readonly #inputs = new InputQueue();
  readonly #outputs: SessionOutputs;
  readonly #drive: Drive;
  #inputEnded = false;
  #reading = true;
  /** Stats that are on their way. */
  #telling: Promise<void> | undefined;

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
    this.#outputs = new SessionOutputs({
      send: (message) => sink.send(message),
      want: () => this.#drive.want(),
      failed: (error) => void this.stop(error),
      limits,
      outputSeq,
    });
    this.#drive = drive(pipeline, { take: () => this.#take() }, this.#outputs);
  }

  /** Runs until all outputs are sent. @throws what a node threw, or what {@linkcode Session.stop} was told */
  async run(): Promise<void> {
    const stats = setInterval(
      () => void this.#sendStats().catch((error) => this.stop(error)),
      STATS_INTERVAL,
    );
    try {
      this.#drive.want();
      await this.#outputs.over;
      await this.#outputs.flush();
      await this.#telling;
      await this.#sendStats();
    } catch (error) {
      await this.#outputs.flush().catch(() => {}); // what came out before the failure goes first
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
    this.#outputs.collect(this.#drive.more);
    if (this.#inputs.cost > this.#limits.inputBytes) this.#setReading(false);
  }

  /** No input follows. */
  endInput(): void {
    this.#inputEnded = true;
    this.#outputs.collect(this.#drive.more);
  }

  /** The client sends nothing more, credit neither. */
  halfClosed(): void {
    this.endInput();
    this.grant(Infinity, Infinity);
  }

  /** The client has consumed outputs up to one, and so many bytes of messages. */
  grant(outputSeq: number, bytes: number): void {
    this.#outputs.grant(outputSeq, bytes);
  }

  /** Drops what came in and is not out, and tells when nothing of it can come. */
  async interrupt(id: bigint): Promise<void> {
    this.#inputs.drop();
    this.#outputs.drop();
    await this.#pipeline.interrupt();
    this.#outputs.drop();
    void this.#outputs.flush();
    const outputSeq = BigInt(this.#outputs.sentSeq);
    await this.#sink.send(writeResponse({ case: "interrupted", value: { id, outputSeq } }));
  }

  /** Ends the session from outside. */
  async stop(reason: unknown): Promise<void> {
    this.#outputs.stop(reason);
    await this.#pipeline.stop(reason);
  }

  /** The next input. */
  #take(): unknown {
    if (this.#inputs.empty) return this.#inputEnded ? END : EMPTY;
    const input = this.#inputs.take();
    if (!this.#reading && this.#inputs.cost <= this.#limits.inputBytes / 2) this.#setReading(true);
    return input;
  }

  #setReading(reading: boolean): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#sink.setReading(reading);
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

import { Marker } from "../../core/frames/mod.ts";
import type { Ack } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { readBatch } from "../wire/batch_reader.ts";
import { writeRequest, type writeStates } from "../wire/messages.ts";
import { NONE } from "./chunk_stream.ts";
import type { SentInterrupt, WindowLimits } from "./input_window.ts";
import { OutputQueue } from "./output_queue.ts";
import type { StreamConnection } from "./stream_connection.ts";

/** Where a session goes on. */
export interface ResumePoint {
  /** Inputs up to this one are worked on. */
  inputSeq: number;
  /** The last of their outputs, by this segment's own count. */
  outputSeq: number;
  /** The states of the nodes at that point. */
  states: ReturnType<typeof writeStates>;
}

/**
 * Outputs of a segment on their way from a server: numbers them over all connections, drops what came
 * before a failure, and tells the server what was read. Holds no more than the credit that it gave.
 */
export class OutputSide {
  readonly #limits: WindowLimits;
  readonly #onTrim: (inputSeq: number) => void;
  readonly #outputs = new OutputQueue();
  #connection: StreamConnection | undefined;
  #reading = true;
  #interrupted = false;
  /** The last output that came, that was read, and that the server was told of as read. */
  #receivedSeq = 0;
  #consumedSeq = 0;
  #creditedSeq = 0;
  #window: number;
  /** Bytes of messages on this connection that came, and the least that the server was told as read. */
  #receivedBytes = 0;
  #creditedBytes = 0;
  /** What to add to this connection's output numbers: a replayed interrupt drops other outputs. */
  #seqOffset = 0;
  #resumePoint: ResumePoint | undefined;

  /** @param limits what bounds it; @param onTrim told which inputs have all their outputs read */
  constructor(limits: WindowLimits, onTrim: (inputSeq: number) => void) {
    this.#limits = limits;
    this.#window = limits.chunks;
    this.#onTrim = onTrim;
  }

  /** Where the session can go on; `undefined` from its start. */
  get resumePoint(): ResumePoint | undefined {
    return this.#resumePoint;
  }

  /** Whether nothing is left to read. */
  get empty(): boolean {
    return this.#outputs.empty;
  }

  /** The server sends so many outputs beyond those that were told as read. */
  setWindow(outputs: number): void {
    this.#window = outputs;
  }

  /** The session begins with states of an earlier one. */
  beginAt(states: ResumePoint["states"]): void {
    this.#resumePoint = { inputSeq: 0, outputSeq: 0, states };
  }

  /** A new connection, on which the session was opened. */
  attach(connection: StreamConnection): void {
    this.#connection = connection;
    this.#seqOffset = 0;
    this.#reading = true;
    this.#creditedSeq = this.#resumePoint?.outputSeq ?? 0;
    this.#receivedBytes = 0;
    this.#creditedBytes = 0;
    if (this.#consumedSeq > this.#creditedSeq) this.#grant();
  }

  /** The connection is gone. */
  detach(): void {
    this.#connection = undefined;
  }

  /** Outputs have come. @returns whether some are new */
  receive(bytes: Uint8Array): boolean {
    this.#receivedBytes += bytes.length;
    const { firstSeq, chunks } = readBatch(bytes);
    const lastSeq = firstSeq + chunks.length - 1 + this.#seqOffset;
    const known = this.#receivedSeq - (lastSeq - chunks.length);
    if (known >= chunks.length) { // came before the connection broke
      this.#grantBytes();
      return false;
    }
    const fresh = known > 0 ? chunks.slice(known) : chunks;
    this.#receivedSeq = lastSeq;
    // what was sent before the server heard of an interrupt is void
    const live = this.#interrupted ? fresh.filter((chunk) => chunk instanceof Marker) : fresh;
    this.#outputs.put(live, lastSeq, bytes.length);
    return true;
  }

  /** An Ack has come: it counts once the outputs before it are read. @returns whether it is further on */
  acknowledge({ inputSeq, outputSeq, states }: Ack): boolean {
    const further = Number(inputSeq) > (this.#resumePoint?.inputSeq ?? 0);
    this.#resumePoint = {
      inputSeq: Number(inputSeq),
      outputSeq: Number(outputSeq) + this.#seqOffset,
      states,
    };
    this.#outputs.putAck(Number(inputSeq));
    this.#heedAcks();
    return further;
  }

  /** Drops all, markers excepted, until the server has heard of an interrupt. */
  drop(): void {
    this.#outputs.drop();
    this.#heedAcks();
  }

  /** Whether some interrupt is on its way. */
  setInterrupted(interrupted: boolean): void {
    this.#interrupted = interrupted;
  }

  /** The server has heard of an interrupt. */
  interrupted(sent: SentInterrupt | undefined, outputSeq: number): void {
    if (sent?.outputSeq !== undefined) this.#seqOffset = sent.outputSeq - outputSeq; // a replay
    else {
      this.#receivedSeq = outputSeq + this.#seqOffset;
      if (sent !== undefined) sent.outputSeq = this.#receivedSeq;
    }
    this.#consumedSeq = Math.max(this.#consumedSeq, this.#receivedSeq);
    this.#grant();
  }

  /** Takes the next output; {@linkcode NONE} if there is none. */
  take(): unknown {
    this.#heedAcks();
    const taken = this.#outputs.take();
    if (taken === undefined) return NONE;
    if (taken.seq > this.#consumedSeq) this.#consumedSeq = taken.seq;
    if (2 * (this.#consumedSeq - this.#creditedSeq) >= this.#window) this.#grant();
    if (taken.freed > 0) {
      this.#grantBytes();
      this.checkReading();
      this.#heedAcks();
    }
    return taken.chunk;
  }

  /** Heeds Acks that no output stands in front of. */
  #heedAcks(): void {
    for (let ack = this.#outputs.takeAck(); ack !== undefined; ack = this.#outputs.takeAck()) {
      this.#onTrim(ack);
    }
  }

  /** Reads from the connection only while there is room; always while an interrupt is on its way. */
  checkReading(): void {
    const reading = this.#outputs.bytes < this.#limits.bytes || this.#interrupted;
    if (reading === this.#reading || this.#connection === undefined) return;
    this.#reading = reading;
    this.#connection.setReading(reading);
  }

  /** Forgets all outputs. */
  clear(): void {
    this.#connection = undefined;
    this.#outputs.clear();
  }

  /** Bytes of this connection's messages that are read. What is queued may be of an earlier one, which errs on the safe side. */
  get #consumedBytes(): number {
    return Math.max(0, this.#receivedBytes - this.#outputs.bytes);
  }

  #grantBytes(): void {
    if (2 * (this.#consumedBytes - this.#creditedBytes) >= this.#limits.bytes) this.#grant();
  }

  #grant(): void {
    if (this.#connection === undefined) return;
    this.#creditedSeq = this.#consumedSeq;
    this.#creditedBytes = this.#consumedBytes;
    const outputSeq = BigInt(Math.max(0, this.#consumedSeq - this.#seqOffset));
    const outputBytes = BigInt(this.#creditedBytes);
    this.#connection.send(writeRequest({ case: "credit", value: { outputSeq, outputBytes } }));
  }
}

import { Marker } from "../../core/frames/mod.ts";
import type { Ack } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { readBatch } from "../wire/batch_reader.ts";
import { writeRequest, type writeStates } from "../wire/messages.ts";
import { NONE } from "./chunk_stream.ts";
import type { SentInterrupt, SentItem, WindowLimits } from "./input_window.ts";
import { OutputQueue } from "./output_queue.ts";
import type { StreamConnection } from "./stream_connection.ts";

/** Where a session goes on. */
export interface ResumePoint {
  /** Inputs up to this one are worked on. */
  inputSeq: number;
  /** The last of their outputs, by the numbers of the connection that told it. */
  outputSeq: number;
  /** How many outputs these are. */
  came: Came;
  /** The states of the nodes at that point. */
  states: ReturnType<typeof writeStates>;
}

/** Outputs that came. An interrupt drops data here or there, but no marker: so each has numbers of its own. */
interface Came {
  data: number;
  markers: number;
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
  /** What came over all connections, and what of it came on this one or before its start. */
  #came: Came = { data: 0, markers: 0 };
  #cameHere: Came = { data: 0, markers: 0 };
  /** Interrupts that took effect before this connection began, and have not yet again: they are replayed. */
  #replayed = 0;
  /** The last output of this connection, and the last that the server was told of as read, by its numbers. */
  #receivedSeq = 0;
  #creditedSeq = 0;
  #window: number;
  /** Bytes of messages on this connection that came, and the least that the server was told as read. */
  #receivedBytes = 0;
  #creditedBytes = 0;
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
    this.#resumePoint = { inputSeq: 0, outputSeq: 0, came: { data: 0, markers: 0 }, states };
  }

  /** A new connection, on which the session was opened. @param sent what is sent again on it */
  attach(connection: StreamConnection, sent: readonly SentItem[]): void {
    const { outputSeq = 0, came = { data: 0, markers: 0 } } = this.#resumePoint ?? {};
    this.#connection = connection;
    this.#cameHere = { ...came };
    this.#replayed = sent.filter((item) => "interrupt" in item && item.outputsBefore !== undefined)
      .length;
    this.#reading = true;
    this.#receivedSeq = outputSeq;
    this.#creditedSeq = outputSeq;
    this.#receivedBytes = 0;
    this.#creditedBytes = 0;
  }

  /** The connection is gone. */
  detach(): void {
    this.#connection = undefined;
  }

  /** Outputs have come. @returns whether some are new */
  receive(bytes: Uint8Array): boolean {
    const { firstSeq, chunks } = readBatch(bytes);
    this.#receivedBytes += bytes.length;
    this.#receivedSeq = firstSeq + chunks.length - 1;
    // what was sent before the server heard of an interrupt is void
    const isVoid = this.#interrupted || this.#replayed > 0;
    const fresh = isVoid || this.#isBehind
      ? chunks.filter((chunk) => this.#isNew(chunk, isVoid))
      : chunks;
    if (fresh === chunks) this.#countNew(chunks);
    this.#outputs.put(fresh, bytes.length);
    if (fresh.length < chunks.length) this.#grantRead();
    return fresh.length > 0;
  }

  /** Whether something may come that came before the connection broke. */
  get #isBehind(): boolean {
    const [came, here] = [this.#came, this.#cameHere];
    return here.data < came.data || here.markers < came.markers;
  }

  /** Counts outputs that are all new. */
  #countNew(chunks: readonly unknown[]): void {
    let markers = 0;
    for (const chunk of chunks) {
      if (typeof chunk === "object" && chunk instanceof Marker) markers++;
    }
    const [came, here] = [this.#came, this.#cameHere];
    came.data = here.data += chunks.length - markers;
    came.markers = here.markers += markers;
  }

  /** Counts an output. @returns whether it did not come before the connection broke, and is not void */
  #isNew(chunk: unknown, isVoid: boolean): boolean {
    const [came, here] = [this.#came, this.#cameHere];
    if (chunk instanceof Marker) {
      if (++here.markers <= came.markers) return false;
      came.markers = here.markers;
      return true;
    }
    if (isVoid || ++here.data <= came.data) return false;
    came.data = here.data;
    return true;
  }

  /** An Ack has come: it counts once the outputs before it are read. @returns whether it is further on */
  acknowledge({ inputSeq, outputSeq, states }: Ack): boolean {
    const further = Number(inputSeq) > (this.#resumePoint?.inputSeq ?? 0);
    this.#resumePoint = {
      inputSeq: Number(inputSeq),
      outputSeq: Number(outputSeq),
      came: { ...this.#cameHere },
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
  interrupted(sent: SentInterrupt | undefined): void {
    if (sent?.outputsBefore !== undefined) { // a replay
      this.#cameHere.data = sent.outputsBefore;
      this.#replayed--;
    } else {
      this.#came.data = this.#cameHere.data;
      if (sent !== undefined) sent.outputsBefore = this.#cameHere.data;
    }
    this.#grant();
  }

  /** Takes the next output; {@linkcode NONE} if there is none. */
  take(): unknown {
    this.#heedAcks();
    const taken = this.#outputs.take();
    if (taken === undefined) return NONE;
    this.#grantRead();
    if (taken.freed > 0) {
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

  /**
   * The last of this connection's outputs that is read, and the bytes of its messages that are. What is queued may
   * be of an earlier one, which errs on the safe side.
   */
  get #consumedSeq(): number {
    return Math.max(this.#creditedSeq, this.#receivedSeq - this.#outputs.count);
  }

  get #consumedBytes(): number {
    return Math.max(0, this.#receivedBytes - this.#outputs.bytes);
  }

  /** Tells the server what is read, once that is half of what may be on its way. */
  #grantRead(): void {
    if (
      2 * (this.#consumedSeq - this.#creditedSeq) >= this.#window ||
      2 * (this.#consumedBytes - this.#creditedBytes) >= this.#limits.bytes
    ) this.#grant();
  }

  #grant(): void {
    if (this.#connection === undefined) return;
    this.#creditedSeq = this.#consumedSeq;
    this.#creditedBytes = this.#consumedBytes;
    const value = {
      outputSeq: BigInt(this.#creditedSeq),
      outputBytes: BigInt(this.#creditedBytes),
    };
    this.#connection.send(writeRequest({ case: "credit", value }));
  }
}

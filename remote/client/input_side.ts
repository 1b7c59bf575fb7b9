import { Marker } from "../../core/frames/mod.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { writeRequest } from "../wire/messages.ts";
import {
  InputWindow,
  type SentInterrupt,
  type SentItem,
  type WindowLimits,
} from "./input_window.ts";
import type { StreamConnection } from "./stream_connection.ts";

/** Bytes that a batch grows to while another is on its way. */
const BATCH_BYTES = 256 * 1024;

/**
 * Inputs of a segment on their way to a server: collected in a batch while a message is under way, kept
 * until they are acknowledged, sent again on the next connection. Holds no more than its window.
 */
export class InputSide {
  readonly #batch = new BatchWriter();
  readonly #window: InputWindow;
  #batchMarkers: Marker[] = [];
  #connection: StreamConnection | undefined;
  /** Resolved when a waiting write should look again whether it may go on. */
  #room: PromiseWithResolvers<void> | undefined;
  /** Why nothing is taken any more. */
  #ended: { reason: unknown } | undefined;
  /** Chunks that came, were taken, and are void up to. */
  #written = 0;
  #taken = 0;
  #dropUntil = 0;
  /** What Acks are to carry. */
  #ackKind: AckRequest = AckRequest.ACK;

  constructor(limits: WindowLimits) {
    this.#window = new InputWindow(limits);
  }

  /** A chunk has come and will be written. */
  count(): void {
    this.#written++;
  }

  /**
   * Takes a chunk; resolves once the next may come.
   *
   * @throws {SerializationError} if it cannot travel
   */
  write(chunk: unknown): void | Promise<void> {
    const number = ++this.#taken;
    if (number <= this.#dropUntil && !(chunk instanceof Marker)) return;
    const large = isLarge(chunk);
    if (large) this.flush();
    if (this.#mustWait(large)) return this.#writeLater(chunk, number);
    this.#add(chunk);
    if (this.#batch.size >= BATCH_BYTES) return this.#untilSent();
  }

  /** Sends the batch, if there is a connection; else it waits for one. */
  flush(): void {
    const connection = this.#connection;
    const { count, size } = this.#batch;
    if (connection === undefined || count === 0) return;
    const ackRequest = this.#window.wantsAck(count, size) ? this.#ackKind : AckRequest.UNSPECIFIED;
    const batch = this.#batch.finish(this.#window.nextSeq, ackRequest);
    this.#batchMarkers = [];
    this.#window.add(batch, ackRequest);
    connection.send(batch.message);
    if (this.#room !== undefined) this.#wake();
  }

  /** Sends on a new connection what is not acknowledged, and what waited. */
  attach(connection: StreamConnection): void {
    this.#connection = connection;
    for (const item of this.#window.items) {
      connection.send("interrupt" in item ? writeInterrupt(item.interrupt) : item.message);
    }
  }

  /** The connection is gone. */
  detach(): void {
    this.#connection = undefined;
  }

  /** From now on Acks are to carry the states of the nodes, or not. */
  askForStates(states: boolean): void {
    this.#ackKind = states ? AckRequest.SNAPSHOT : AckRequest.ACK;
  }

  /** Drops all that is not sent, markers excepted. */
  drop(): void {
    this.#dropUntil = this.#written;
    const markers = this.#batchMarkers;
    this.#batch.clear();
    for (const marker of markers) this.#batch.add(marker);
    this.#wake();
  }

  /** Sends an interrupt behind all that was sent. */
  interrupt(interrupt: bigint): void {
    this.flush();
    this.#window.addInterrupt({ interrupt });
    this.#connection?.send(writeInterrupt(interrupt));
  }

  /** What was sent and is not acknowledged, in its order. */
  get sent(): readonly SentItem[] {
    return this.#window.items;
  }

  /** An interrupt that was sent and is kept. */
  sentInterrupt(id: bigint): SentInterrupt | undefined {
    return this.#window.items.find((item): item is SentInterrupt =>
      "interrupt" in item && item.interrupt === id
    );
  }

  /** Inputs up to one need not be sent again. */
  trim(inputSeq: number): void {
    this.#window.trim(inputSeq, ({ message }) => this.#batch.reuse(message));
    this.#wake();
  }

  /** Nothing is taken any more: writes that wait fail with `reason`. */
  end(reason: unknown): void {
    this.#ended = { reason };
    this.#connection = undefined;
    this.#wake();
  }

  /** A large chunk goes alone: with others it could be more than a server takes in one message. */
  #mustWait(large: boolean): boolean {
    const { count, size } = this.#batch;
    return !this.#window.hasRoom(count, size) || (large && count > 0);
  }

  async #writeLater(chunk: unknown, number: number): Promise<void> {
    while (this.#mustWait(isLarge(chunk))) {
      await this.#nextRoom();
      if (number <= this.#dropUntil && !(chunk instanceof Marker)) return;
    }
    this.#add(chunk);
  }

  async #untilSent(): Promise<void> {
    while (this.#batch.size >= BATCH_BYTES) await this.#nextRoom();
  }

  async #nextRoom(): Promise<void> {
    if (this.#ended === undefined) {
      this.#room ??= Promise.withResolvers<void>();
      await this.#room.promise;
    }
    if (this.#ended !== undefined) throw this.#ended.reason;
  }

  #wake(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #add(chunk: unknown): void {
    this.#batch.add(chunk);
    if (chunk instanceof Marker) this.#batchMarkers.push(chunk);
    if (this.#connection !== undefined && !this.#connection.busy) this.flush();
  }
}

function writeInterrupt(id: bigint): Uint8Array {
  return writeRequest({ case: "interrupt", value: { id } });
}

/** Whether a frame or value is as large as a batch by itself. */
function isLarge(chunk: unknown): boolean {
  if (typeof chunk === "string") return chunk.length >= BATCH_BYTES;
  if (typeof chunk !== "object" || chunk === null) return false;
  const { byteLength } = ("data" in chunk ? chunk.data ?? {} : chunk) as { byteLength?: unknown };
  return typeof byteLength === "number" && byteLength >= BATCH_BYTES;
}

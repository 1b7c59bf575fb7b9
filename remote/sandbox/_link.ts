import { SerializationError } from "../../core/errors.ts";
import { BlobReader, type Packet } from "./_blobs.ts";
import type { MessageSource, Wire } from "./_wire.ts";

/** Bytes of the two lengths in front of each message: of its head and its tail. */
const HEADER = 8;
/** What is read at once, and up to which size messages are written together. */
const BLOCK = 65_536;
/** From this size on, a part is written on its own. */
const LARGE = 16_384;

/** A message came that is larger than allowed. */
export class MessageTooLarge extends RangeError {
  /** @param size of the message, in bytes; @param max the most that it may have */
  constructor(size: number, max: number) {
    super(`sent a message of ${size} bytes, more than ${max}`);
  }
}

/** Takes a message. What it gives is awaited before more is read. */
export type Accept = (head: Uint8Array, blobs: BlobReader) => Promise<void> | void;

/** A connection, as both sides have it. */
export interface Connection {
  /** Reads at most as many bytes as fit; `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes both directions. */
  close(): void;
}

/**
 * Messages over a connection. What is sent while a write is under way is written together after it, so
 * that messages are never delayed on an idle wire and batched on a busy one. What waits is bounded by
 * those who send: chunks by the windows of their segments, answers by the calls that are open.
 */
export class Link<Message> implements Wire<Message> {
  readonly #connection: Connection;
  readonly #encode: (message: Message) => Packet;
  readonly #split: (message: Message) => [Message, Message] | undefined;
  readonly #maxBytes: number;
  #queue: Packet[] = [];
  readonly #sources = new Set<MessageSource<Message>>();
  #waitingBytes = 0;
  #writing = false;
  #flushed: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** Why writing failed, which ends the reading too. */
  #failure: { error: unknown } | undefined;

  /**
   * @param connection the wire
   * @param options how a message becomes bytes, and two of one; and the most bytes of one in either direction
   */
  constructor(connection: Connection, { encode, split = () => undefined, maxBytes }: {
    encode: (message: Message) => Packet;
    split?: (message: Message) => [Message, Message] | undefined;
    maxBytes: number;
  }) {
    this.#connection = connection;
    this.#encode = encode;
    this.#split = split;
    this.#maxBytes = maxBytes;
  }

  /** Whether the connection is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes of messages that wait to be written. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Sends one message.
   *
   * @throws {SerializationError} if it cannot be encoded, or is larger than the other side takes
   */
  send(message: Message): void {
    if (this.#closed) return;
    this.#put(message);
    this.#start();
  }

  /** Resolves when all that waits now is written, or the connection is closed. */
  flushed(): Promise<void> {
    if (this.#closed || !this.#writing) return Promise.resolve();
    this.#flushed ??= Promise.withResolvers();
    return this.#flushed.promise;
  }

  /** Asks `source` for messages when the wire is next free. */
  schedule(source: MessageSource<Message>): void {
    if (this.#closed) return;
    this.#sources.add(source);
    this.#start();
  }

  /**
   * Gives each message to `accept` until the other side ends. The head is only valid during the call. Nothing more
   * is read until what `accept` gives, if it gives a promise, resolves.
   *
   * @throws {MessageTooLarge} if a message is larger than allowed; and whatever `accept` throws
   */
  async receive(accept: Accept): Promise<void> {
    try {
      await this.#receiveAll(accept);
    } catch (error) {
      throw this.#failure === undefined ? error : this.#failure.error;
    }
  }

  async #receiveAll(accept: Accept): Promise<void> {
    const block = new Uint8Array(BLOCK);
    const view = new DataView(block.buffer);
    let filled = 0;
    while (true) {
      const read = await this.#connection.read(block.subarray(filled));
      if (read === null) return;
      filled += read;
      let at = 0;
      while (filled - at >= HEADER) {
        const [headSize, tailSize] = [view.getUint32(at), view.getUint32(at + 4)];
        const size = headSize + tailSize;
        if (size > this.#maxBytes) throw new MessageTooLarge(size, this.#maxBytes);
        const start = at + HEADER;
        if (size > BLOCK - HEADER) {
          // a large message gets memory of its own, so that its frames need not be copied out of it
          const have = block.subarray(start, filled);
          const head = new Uint8Array(headSize);
          const tail = new Uint8Array(tailSize);
          head.set(have.subarray(0, headSize));
          tail.set(have.subarray(headSize, size));
          at = Math.min(filled, start + size);
          const hasAll = await this.#fill(head, Math.min(have.length, headSize)) &&
            await this.#fill(tail, Math.min(Math.max(0, have.length - headSize), tailSize));
          if (!hasAll) return;
          const room = accept(head, new BlobReader(tail, true));
          if (room !== undefined) await room;
          continue;
        }
        if (filled - start < size) break;
        const tail = block.subarray(start + headSize, start + size);
        const room = accept(block.subarray(start, start + headSize), new BlobReader(tail, false));
        if (room !== undefined) await room;
        at = start + size;
      }
      block.copyWithin(0, at, filled);
      filled -= at;
    }
  }

  /** Closes the connection; what waits is dropped. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#waitingBytes = 0;
    this.#sources.clear();
    this.#connection.close();
    this.#flushed?.resolve();
  }

  /** Reads until bytes are full, from a place on. Gives whether they came. */
  async #fill(bytes: Uint8Array, from: number): Promise<boolean> {
    for (let at = from; at < bytes.length;) {
      const read = await this.#connection.read(bytes.subarray(at));
      if (read === null) return false;
      at += read;
    }
    return true;
  }

  #ask(source: MessageSource<Message>): void {
    try {
      const message = source.next();
      if (message !== undefined) this.#put(message);
    } catch (error) {
      source.failed(error);
    }
  }

  /** Puts a message behind the others: in parts if it is too large as one. */
  #put(message: Message): void {
    const packet = this.#encode(message);
    const size = sizeOf(packet);
    if (size <= this.#maxBytes) {
      this.#queue.push(packet);
      this.#waitingBytes += size;
      return;
    }
    const parts = this.#split(message);
    if (parts === undefined) throw tooLarge(size, this.#maxBytes);
    for (const part of parts) this.#put(part);
  }

  #start(): void {
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => void this.#writeAll());
  }

  /** Never fails: the connection is closed, so that whoever receives is told. */
  async #writeAll(): Promise<void> {
    try {
      while (!this.#closed) {
        const sources = [...this.#sources];
        this.#sources.clear();
        for (const source of sources) this.#ask(source);
        if (this.#queue.length === 0) break;
        const packets = this.#queue;
        const size = this.#waitingBytes;
        this.#queue = [];
        for (const bytes of join(packets)) await this.#write(bytes);
        if (!this.#closed) this.#waitingBytes -= size;
      }
    } catch (error) {
      this.#failure ??= { error };
      this.close();
    } finally {
      this.#writing = false;
      this.#flushed?.resolve();
      this.#flushed = undefined;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }
}

function sizeOf({ head, tail }: Packet): number {
  return tail.reduce((sum, { length }) => sum + length, head.length);
}

function tooLarge(size: number, max: number): SerializationError {
  return new SerializationError(
    `Cannot send value to or from sandbox as its message would have ${size} bytes, ` +
      `more than limits.messageBytes: ${max}`,
  );
}

/** Messages with their lengths: small parts put together into blocks, large ones as they are. */
function* join(packets: readonly Packet[]): Generator<Uint8Array> {
  let block = new Uint8Array(Math.min(BLOCK, packets.reduce((sum, p) => sum + smallSize(p), 0)));
  let filled = 0;
  for (const { head, tail } of packets) {
    const lengths = new Uint8Array(HEADER);
    const view = new DataView(lengths.buffer);
    view.setUint32(0, head.length);
    view.setUint32(4, tail.reduce((sum, part) => sum + part.length, 0));
    for (const part of [lengths, head, ...tail]) {
      if (part.length > LARGE) {
        if (filled > 0) yield block.subarray(0, filled);
        yield part;
        block = new Uint8Array(BLOCK);
        filled = 0;
        continue;
      }
      if (filled + part.length > block.length) {
        if (filled > 0) yield block.subarray(0, filled);
        block = new Uint8Array(BLOCK);
        filled = 0;
      }
      block.set(part, filled);
      filled += part.length;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** The bytes of a message that are put together with others. */
function smallSize({ head, tail }: Packet): number {
  return [head, ...tail].reduce((sum, { length }) => sum + (length > LARGE ? 0 : length), HEADER);
}

import type { MessageSource, Wire } from "./_wire.ts";

/** Bytes of the length in front of each message. */
const HEADER = 4;
/** What is read at once, and up to which size messages are written together. */
const BLOCK = 65_536;

/** A message came that is larger than allowed. */
export class MessageTooLarge extends RangeError {
  /** @param size of the message, in bytes; @param max the most that it may have */
  constructor(size: number, max: number) {
    super(`sent a message of ${size} bytes, more than ${max}`);
  }
}

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
  readonly #encode: (message: Message) => Uint8Array;
  readonly #maxBytes: number;
  #queue: Uint8Array[] = [];
  readonly #sources = new Set<MessageSource<Message>>();
  #writing = false;
  #closed = false;
  #failed: ((error: unknown) => void) | undefined;

  /**
   * @param connection the wire
   * @param options how a message becomes bytes, and the size above which one that comes is refused
   */
  constructor(connection: Connection, { encode, maxBytes }: {
    encode: (message: Message) => Uint8Array;
    maxBytes: number;
  }) {
    this.#connection = connection;
    this.#encode = encode;
    this.#maxBytes = maxBytes;
  }

  /** Whether the connection is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one message. */
  send(message: Message): void {
    if (this.#closed) return;
    this.#queue.push(this.#encode(message));
    this.#start();
  }

  /** Asks `source` for messages when the wire is next free. */
  schedule(source: MessageSource<Message>): void {
    if (this.#closed) return;
    this.#sources.add(source);
    this.#start();
  }

  /**
   * Gives each message to `accept` until the other side ends. The bytes are only valid during the call.
   *
   * @throws {MessageTooLarge} if a message is; and whatever `accept` throws
   */
  async receive(accept: (body: Uint8Array) => void): Promise<void> {
    const failed = new Promise<never>((_, reject) => this.#failed = reject);
    failed.catch(() => {}); // told by the loop if it still runs
    const block = new Uint8Array(BLOCK);
    let filled = 0;
    while (true) {
      const read = await Promise.race([this.#connection.read(block.subarray(filled)), failed]);
      if (read === null) return;
      filled += read;
      let at = 0;
      while (filled - at >= HEADER) {
        const size = sizeAt(block, at);
        if (size > this.#maxBytes) {
          throw new MessageTooLarge(size, this.#maxBytes);
        }
        if (size > BLOCK - HEADER) {
          const whole = await this.#readRest(block.subarray(at + HEADER, filled), size);
          if (whole === undefined) return;
          at = Math.min(filled, at + HEADER + size);
          accept(whole);
          continue;
        }
        if (filled - at - HEADER < size) break;
        accept(block.subarray(at + HEADER, at + HEADER + size));
        at += HEADER + size;
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
    this.#sources.clear();
    this.#connection.close();
  }

  /** A message larger than a block: its start is there already. */
  async #readRest(start: Uint8Array, size: number): Promise<Uint8Array | undefined> {
    const have = Math.min(start.length, size);
    const body = new Uint8Array(size);
    body.set(start.subarray(0, have));
    let at = have;
    while (at < size) {
      const read = await this.#connection.read(body.subarray(at));
      if (read === null) return undefined;
      at += read;
    }
    return body;
  }

  #ask(source: MessageSource<Message>): void {
    try {
      const message = source.next();
      if (message !== undefined) this.#queue.push(this.#encode(message));
    } catch (error) {
      source.failed(error);
    }
  }

  #start(): void {
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => void this.#writeAll());
  }

  /** Never fails: whoever receives is told. */
  async #writeAll(): Promise<void> {
    try {
      while (!this.#closed) {
        const sources = [...this.#sources];
        this.#sources.clear();
        for (const source of sources) this.#ask(source);
        if (this.#queue.length === 0) break;
        const bodies = this.#queue;
        this.#queue = [];
        for (const bytes of join(bodies)) await this.#write(bytes);
      }
    } catch (error) {
      this.#queue = [];
      this.#failed?.(error);
    } finally {
      this.#writing = false;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }
}

/** Messages with their lengths, small ones put together into blocks. */
function* join(bodies: readonly Uint8Array[]): Generator<Uint8Array> {
  let block = new Uint8Array(
    Math.min(BLOCK, bodies.reduce((sum, b) => sum + b.length + HEADER, 0)),
  );
  let filled = 0;
  for (const body of bodies) {
    const small = body.length + HEADER <= BLOCK;
    const needed = small ? body.length + HEADER : HEADER;
    if (filled + needed > block.length) {
      if (filled > 0) yield block.subarray(0, filled);
      block = new Uint8Array(BLOCK);
      filled = 0;
    }
    new DataView(block.buffer).setUint32(filled, body.length);
    filled += HEADER;
    if (small) {
      block.set(body, filled);
      filled += body.length;
    } else {
      yield block.subarray(0, filled);
      yield body;
      block = new Uint8Array(BLOCK);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

function sizeAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, HEADER).getUint32(0);
}

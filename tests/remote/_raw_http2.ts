/** Types of HTTP/2 frames (RFC 9113, section 6). */
export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames. */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame. */
export interface RawFrame {
  type: number;
  flags?: number;
  stream?: number;
  payload?: Uint8Array;
}

/** The bytes of a frame. */
export function frame({ type, flags = 0, stream = 0, payload = none }: RawFrame): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

const none = new Uint8Array(0);
const ascii = new TextEncoder();

/** A header block without compression (RFC 7541, section 6.2.2). */
export function headerBlock(headers: readonly (readonly [string, string])[]): Uint8Array {
  const parts = headers.flatMap(([name, value]) => {
    const [nameBytes, valueBytes] = [ascii.encode(name), ascii.encode(value)];
    return [0, nameBytes.length, ...nameBytes, valueBytes.length, ...valueBytes];
  });
  return Uint8Array.from(parts);
}

/** The headers of a call of `Stream`. */
export const streamHeaders: Uint8Array = headerBlock([
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/remotemedia.v1.ExecutionService/Stream"],
  [":authority", "a"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
]);

/** A message as gRPC puts it into DATA frames. */
export function grpcMessage(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

/** A connection of a client that does as it likes with HTTP/2. */
export class RawConnection implements Disposable {
  readonly #socket: Deno.Conn;
  /** How many frames of each type came. */
  readonly came: Record<number, number> = {};
  /** Whether the server has closed it. */
  closed = false;
  /** Bytes that the server lets us send, over all and by stream. */
  readonly #windows = new Map<number, number>();
  #initialWindow = 65_535;
  #more = Promise.withResolvers<void>();

  private constructor(socket: Deno.Conn, reads: boolean) {
    this.#socket = socket;
    if (reads) void this.#read();
  }

  /** Connects, and says hello. @param options whether anything that comes is read */
  static async open(
    port: number,
    { reads = true, window = 65_535 }: { reads?: boolean; window?: number } = {},
  ): Promise<RawConnection> {
    const connection = new RawConnection(await Deno.connect({ port }), reads);
    await connection.write(ascii.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    const settings = new Uint8Array(6);
    new DataView(settings.buffer).setUint16(0, 4); // SETTINGS_INITIAL_WINDOW_SIZE
    new DataView(settings.buffer).setUint32(2, window);
    await connection.send({ type: frameType.settings, payload: settings });
    return connection;
  }

  /** Sends frames. @throws {Error} if the server has closed the connection */
  async send(...frames: readonly RawFrame[]): Promise<void> {
    const parts = frames.map(frame);
    const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    await this.write(all);
  }

  /** Sends a message as flow control lets it go: may wait for ever. */
  async sendMessage(stream: number, message: Uint8Array): Promise<void> {
    const bytes = grpcMessage(message);
    for (let at = 0; at < bytes.length;) {
      const room = Math.min(this.#window(0), this.#window(stream), 16_384, bytes.length - at);
      if (room <= 0) {
        await this.#more.promise;
        continue;
      }
      this.#grant(0, -room);
      this.#grant(stream, -room);
      const payload = bytes.subarray(at, at += room);
      await this.send({ type: frameType.data, stream, payload });
    }
  }

  #window(stream: number): number {
    return this.#windows.get(stream) ?? (stream === 0 ? 65_535 : this.#initialWindow);
  }

  #grant(stream: number, bytes: number): void {
    this.#windows.set(stream, this.#window(stream) + bytes);
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  #heed(type: number, stream: number, payload: DataView): void {
    if (type === frameType.windowUpdate) this.#grant(stream, payload.getUint32(0));
    if (type !== frameType.settings) return;
    for (let at = 0; at < payload.byteLength; at += 6) {
      if (payload.getUint16(at) === 4) this.#initialWindow = payload.getUint32(at + 2);
    }
  }

  /** Sends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  async #read(): Promise<void> {
    let rest = new Uint8Array(0);
    try {
      for await (const part of this.#socket.readable) {
        const bytes = new Uint8Array(rest.length + part.length);
        bytes.set(rest);
        bytes.set(part, rest.length);
        let at = 0;
        while (bytes.length - at >= 9) {
          const head = new DataView(bytes.buffer, at).getUint32(0);
          const end = at + 9 + (head >>> 8);
          if (end > bytes.length) break;
          const [type, view] = [head & 0xff, new DataView(bytes.buffer, at, end - at)];
          this.came[type] = (this.came[type] ?? 0) + 1;
          this.#heed(type, view.getUint32(5), new DataView(bytes.buffer, at + 9, end - at - 9));
          at = end;
        }
        rest = bytes.slice(at);
      }
    } catch {
      // the server has closed it, or we have
    }
    this.closed = true;
  }

  [Symbol.dispose](): void {
    try {
      this.#socket.close();
    } catch {
      // it is closed
    }
  }
}

import { MediaError, messageOf } from "../../core/errors.ts";

/** The most bytes that are handed on at once. */
const PIECE_SIZE = 65_536;

/** Where bytes come from, one piece after another. */
interface RawInput {
  /** The next piece; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Goes ahead without reading, where that is possible. Gives how many bytes it went. */
  seek?(bytes: number): Promise<number>;
  /** Ends it early, or after its end. */
  close(reason: unknown): Promise<void>;
}

/**
 * Bytes in sequence with a look ahead. Holds one piece of its source, whatever the source's pieces are, or
 * as much as {@linkcode ByteInput.peek} was asked for.
 */
export class ByteInput {
  readonly #raw: RawInput;
  #ahead: Uint8Array = new Uint8Array(0);
  #ended = false;
  #closed: Promise<void> | undefined;

  private constructor(raw: RawInput) {
    this.#raw = raw;
  }

  /** Bytes of an open file, which is closed with it. One without a size is a pipe or device. */
  static ofFile(
    file: Deno.FsFile,
    { action, size }: { action: string; size?: number },
  ): ByteInput {
    return new ByteInput({
      async read() {
        const buffer = new Uint8Array(PIECE_SIZE);
        const length = await file.read(buffer).catch((cause) => fail(action, cause));
        return length === null ? undefined : buffer.subarray(0, length);
      },
      ...(size === undefined ? {} : {
        async seek(bytes: number) {
          const at = await file.seek(0, Deno.SeekMode.Current);
          const target = Math.min(at + bytes, Math.max(at, size));
          await file.seek(target, Deno.SeekMode.Start);
          return target - at;
        },
      }),
      close() {
        file.close();
        return Promise.resolve();
      },
    });
  }

  /**
   * Bytes of a stream, which is cancelled with it. What it fails with is passed on as it is, or as the fault of
   * an action.
   */
  static ofStream(
    stream: ReadableStream<Uint8Array>,
    { action }: { action?: string } = {},
  ): ByteInput {
    const reader = stream.getReader();
    return new ByteInput({
      async read() {
        const { value } = action === undefined
          ? await reader.read()
          : await reader.read().catch((cause) => fail(action, cause));
        if (value === undefined || value instanceof Uint8Array) return value;
        throw new MediaError(
          `Cannot read media from a stream as its chunks must be Uint8Array: got ${typeof value}`,
        );
      },
      async close(reason) {
        try {
          await reader.cancel(reason);
        } catch {
          // a stream that has failed says so again; whoever read it was told
        }
      },
    });
  }

  /** The next piece, of 1 to 65,536 bytes; `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    const piece = this.#ahead.length > 0 ? this.#ahead : await this.#next();
    if (piece === undefined) return undefined;
    this.#ahead = piece.subarray(PIECE_SIZE);
    return piece.subarray(0, PIECE_SIZE);
  }

  /** The next `length` bytes, fewer at the end; they stay to be read. */
  async peek(length: number): Promise<Uint8Array> {
    if (this.#ahead.length < length) {
      const pieces = [this.#ahead];
      let have = this.#ahead.length;
      while (have < length) {
        const piece = await this.#next();
        if (piece === undefined) break;
        pieces.push(piece);
        have += piece.length;
      }
      this.#ahead = concat(pieces, have);
    }
    return this.#ahead.subarray(0, length);
  }

  /** Takes the next `length` bytes; fewer at the end. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = await this.peek(length);
    this.#ahead = this.#ahead.subarray(bytes.length);
    return bytes;
  }

  /** Goes ahead by `length` bytes; gives by how many it could. */
  async skip(length: number): Promise<number> {
    let left = length;
    while (left > 0) {
      if (this.#ahead.length === 0 && this.#raw.seek !== undefined) {
        return length - left + await this.#raw.seek(left);
      }
      const piece = await this.read();
      if (piece === undefined) break;
      const over = Math.min(left, piece.length);
      this.#ahead = piece.subarray(over);
      left -= over;
    }
    return length - left;
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      const piece = await this.#raw.read();
      if (piece === undefined) this.#ended = true;
      else if (piece.length > 0) return piece;
    }
  }

  /** Closes the file or cancels the stream, once. */
  close(reason?: unknown): Promise<void> {
    this.#closed ??= this.#raw.close(reason);
    return this.#closed;
  }
}

function fail(action: string, cause: unknown): never {
  throw new MediaError(`Cannot ${action} to its end as ${messageOf(cause)}`, { cause });
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

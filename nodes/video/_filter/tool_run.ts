import { ToolProcess } from "../../io/ffmpeg/tool.ts";

/** Results that wait to be taken before ffmpeg's output is read no further. */
const AHEAD = 8;

/** Makes results of ffmpeg's output. */
export interface ToolParser<T> {
  /** Takes a piece of it. */
  push(piece: Uint8Array): T[];
  /** Whether it ends inside a result. */
  readonly isInside: boolean;
}

/** What a {@linkcode ToolRun} is started with. */
export interface ToolRunStart<T> {
  /** What it is for, to follow `Cannot` in messages. */
  action: string;
  /** ffmpeg's arguments: it reads from `pipe:0`, and writes to `pipe:1`. */
  args: readonly string[];
  /** Reads what it writes. */
  parser: ToolParser<T>;
  /** Called when a result waits to be taken, and when it has failed. */
  onResult?: () => void;
}

/**
 * An ffmpeg that is fed and read at the same time. What waits here is bounded: what is written waits for the
 * pipe, and of its output only `AHEAD` results and those of one piece of the pipe are held.
 */
export class ToolRun<T> {
  readonly #tool: ToolProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #stdout: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #ready: T[] = [];
  readonly #waiting: PromiseWithResolvers<T | undefined>[] = [];
  readonly #over: Promise<void>;
  readonly #onResult: (() => void) | undefined;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #killed = false;
  #failure: unknown;

  /** @throws {MediaError} if ffmpeg cannot be started */
  constructor({ action, args, parser, onResult }: ToolRunStart<T>) {
    this.#onResult = onResult;
    this.#tool = ToolProcess.start("ffmpeg", args, { action, stdin: true, stdout: true });
    this.#stdin = this.#tool.stdin.getWriter();
    this.#stdin.closed.catch(() => {}); // its end tells why
    this.#stdout = this.#tool.stdout.getReader();
    this.#over = this.#pump(parser);
  }

  /** Whether nothing more comes. */
  get isOver(): boolean {
    return this.#ended && this.#ready.length === 0;
  }

  /** Whether it was ended from here. */
  get isKilled(): boolean {
    return this.#killed;
  }

  /** Why it ended badly; `undefined` if it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Writes to it. Resolves, without ever failing, when the pipe has taken it or nobody reads it any more. */
  async write(pieces: Iterable<Uint8Array>): Promise<void> {
    try {
      const writes = Array.from(
        pieces,
        (piece) => this.#stdin.write(piece as Uint8Array<ArrayBuffer>),
      );
      await Promise.all(writes);
    } catch {
      // it reads no more: its end tells whether that is well
    }
  }

  /** Ends its input. */
  async closeInput(): Promise<void> {
    try {
      await this.#stdin.close();
    } catch {
      // it reads no more, as above
    }
  }

  /** Resolves, without ever failing, when it is gone. */
  get ended(): Promise<void> {
    return this.#over;
  }

  /** A result that waits, if there is one. */
  take(): T | undefined {
    const value = this.#ready.shift();
    if (value !== undefined) this.#tell();
    return value;
  }

  /** Resolves at the next result, or when it ends. */
  changed(): Promise<void> {
    return this.#ended ? Promise.resolve() : this.#changed.promise;
  }

  /**
   * The next result; `undefined` at the end. Calls are served in their order.
   *
   * @throws {MediaError} if it failed
   */
  next(): Promise<T | undefined> {
    const value = this.take();
    if (value !== undefined) return Promise.resolve(value);
    const waiter = Promise.withResolvers<T | undefined>();
    if (this.#ended) this.#settle(waiter);
    else this.#waiting.push(waiter);
    return waiter.promise;
  }

  /** Ends it at once: what it would still give is dropped. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.#ended) {
      this.#killed = true;
      this.#ready.length = 0;
      this.#tell();
      const aborted = this.#stdin.abort().catch(() => {}); // broken already, perhaps
      await Promise.all([this.#tool.kill(), this.#stdout.cancel(), aborted]);
    }
    await this.#over;
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #settle(waiter: PromiseWithResolvers<T | undefined>): void {
    if (this.#failure === undefined) waiter.resolve(undefined);
    else waiter.reject(this.#failure);
  }

  /** Reads all that it gives, and waits for its end. Never fails. */
  async #pump(parser: ToolParser<T>): Promise<void> {
    try {
      while (!this.#killed) {
        const { value: piece } = await this.#stdout.read();
        if (piece === undefined) break;
        for (const value of parser.push(piece)) this.#give(value);
        while (this.#ready.length >= AHEAD && !this.#killed) await this.#changed.promise;
      }
      if (!this.#killed) await this.#tool.finish();
      if (!this.#killed && parser.isInside) {
        throw this.#tool.failure("ffmpeg's output ends inside a frame");
      }
    } catch (error) {
      if (!this.#killed) this.#failure = error;
    }
    if (!this.#killed) await this.#stdin.abort().catch(() => {}); // closed, or its other end is gone
    await this.#tool.kill();
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) this.#settle(waiter);
    this.#tell();
    if (this.#failure !== undefined) this.#onResult?.();
  }

  #give(value: T): void {
    if (this.#killed) return;
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) return waiter.resolve(value);
    this.#ready.push(value);
    this.#tell();
    this.#onResult?.();
  }
}

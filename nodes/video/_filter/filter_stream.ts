import type { NodeContext } from "../../../core/node.ts";
import type { Line } from "./line.ts";
import { ToolRun } from "./tool_run.ts";

/** What a {@linkcode FilterStream} is made of. */
interface FilterStreamOptions<I, O> {
  /** What is done, to follow `Cannot` in messages. */
  action: string;
  /** Begins a line of frames. */
  begin(first: I): Line<I, O>;
}

/**
 * Frames through ffmpeg, which may give more or fewer of them, later: what has come is given while the next
 * frame is written, or when the node is woken for it, the rest at the end. A frame that does not go on from the last one (another format, an
 * earlier time) ends ffmpeg's input, and another ffmpeg takes it.
 */
export class FilterStream<I, O = I> {
  readonly #options: FilterStreamOptions<I, O>;
  readonly #wake: () => void;
  readonly #runs = new Set<ToolRun<O>>();
  #current: { run: ToolRun<O>; line: Line<I, O> } | undefined;
  /** How often all was dropped. */
  #drops = 0;

  constructor(options: FilterStreamOptions<I, O>, { signal, wake }: NodeContext) {
    this.#options = options;
    this.#wake = wake;
    signal.addEventListener("abort", () => this.drop(), { once: true });
  }

  /** Takes a frame, and gives what has come meanwhile. */
  async *push(frame: I): AsyncGenerator<O, void, undefined> {
    const drops = this.#drops;
    if (this.#current?.line.accepts(frame) === false) yield* this.end();
    if (drops !== this.#drops) return; // the frame is void too
    const { run, line } = this.#current ??= this.#start(frame);
    let isWritten = false;
    const written = run.write(line.pieces(frame)).then(() => isWritten = true);
    while (!run.isKilled) {
      const value = run.take();
      if (value !== undefined) yield value;
      else if (run.failure !== undefined) throw run.failure;
      else if (isWritten) return;
      else await Promise.race([written, run.changed()]);
    }
  }

  /** Gives what has come without a frame being taken. @throws {MediaError} if ffmpeg failed */
  *ready(): Generator<O, void, undefined> {
    const run = this.#current?.run;
    for (let value = run?.take(); value !== undefined; value = run?.take()) yield value;
    if (run?.failure !== undefined) throw run.failure;
  }

  /** Ends ffmpeg's input, and gives what it still gives. */
  async *end(): AsyncGenerator<O, void, undefined> {
    if (this.#current === undefined) return;
    const { run } = this.#current;
    void run.closeInput(); // never fails
    while (true) {
      const value = await run.next();
      if (value === undefined) break;
      yield value;
    }
    if (this.#current?.run === run) this.#current = undefined;
    await this.#kill(run);
  }

  /** Ends it at once: what it would still give is dropped. */
  drop(): void {
    this.#drops++;
    this.#current = undefined;
    for (const run of this.#runs) void this.#kill(run); // close() waits for it
  }

  /** Resolves when no process is left. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#runs, (run) => this.#kill(run)));
  }

  #start(frame: I): { run: ToolRun<O>; line: Line<I, O> } {
    const { action, begin } = this.#options;
    const line = begin(frame);
    const run = new ToolRun<O>({
      action,
      args: line.args,
      parser: line.parser,
      onResult: this.#wake,
    });
    this.#runs.add(run);
    void run.write([line.header()]); // never fails
    return { run, line };
  }

  async #kill(run: ToolRun<O>): Promise<void> {
    await run.kill();
    this.#runs.delete(run);
  }
}

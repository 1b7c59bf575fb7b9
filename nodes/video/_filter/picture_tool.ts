import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { NodeContext } from "../../../core/node.ts";
import { ToolRun, type ToolRunStart } from "./tool_run.ts";
import { PictureWriter } from "./video_line.ts";

/**
 * An ffmpeg that gives one result for each picture, at once: results come in the order of the pictures, and
 * several may be asked for at the same time. A picture of another format, or of an earlier time, goes to
 * another ffmpeg.
 */
export class PictureTool<T> {
  readonly #begin: (first: VideoFrame) => ToolRunStart<T>;
  readonly #runs = new Set<ToolRun<T>>();
  #current: { run: ToolRun<T>; writer: PictureWriter } | undefined;

  constructor(begin: (first: VideoFrame) => ToolRunStart<T>, { signal }: NodeContext) {
    this.#begin = begin;
    signal.addEventListener("abort", () => this.drop(), { once: true });
  }

  /** Whether the picture goes on from the last one. */
  accepts(frame: VideoFrame): boolean {
    return this.#current?.writer.accepts(frame) ?? false;
  }

  /**
   * The result for a picture; `undefined` if it was dropped meanwhile.
   *
   * @throws {MediaError} if ffmpeg fails
   */
  async run(frame: VideoFrame): Promise<T | undefined> {
    if (!this.accepts(frame)) this.#start(frame);
    const { run, writer } = this.#current!;
    void run.write(writer.pieces(frame)); // never fails; next() tells
    const result = await run.next();
    if (result === undefined && !run.isKilled) {
      throw new Error("ffmpeg gave no result for a picture");
    }
    return result;
  }

  /** Ends it at once: what it would still give is dropped. */
  drop(): void {
    this.#current = undefined;
    for (const run of this.#runs) void this.#kill(run); // close() waits for it
  }

  /** Resolves when no process is left. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#runs, (run) => this.#kill(run)));
  }

  /** Starts another; the one before ends once it has given its results. */
  #start(first: VideoFrame): void {
    const before = this.#current?.run;
    if (before !== undefined) {
      void before.closeInput(); // never fails
      void before.ended.then(() => this.#kill(before));
    }
    const run = new ToolRun(this.#begin(first));
    const writer = new PictureWriter(first);
    this.#runs.add(run);
    this.#current = { run, writer };
    void run.write([writer.header()]); // never fails
  }

  async #kill(run: ToolRun<T>): Promise<void> {
    await run.kill();
    this.#runs.delete(run);
  }
}

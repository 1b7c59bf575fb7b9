import type { Logger } from "../../../core/log.ts";
import { LineSplitter } from "../../data/_line_splitter.ts";

/** The longest line that is logged, in UTF-16 units. */
const MAX_LINE = 2000;

/** What a program says of errors: logged line by line, its last line kept. */
export class ErrorOutput {
  /** Resolves with the last line, when there will be no more. */
  readonly lastLine: Promise<string>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /** Reads all of `stream`. */
  constructor(stream: ReadableStream<Uint8Array>, log: Logger) {
    this.#reader = stream.getReader();
    this.lastLine = this.#read(log);
  }

  /** Reads no more. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(log: Logger): Promise<string> {
    const splitter = new LineSplitter(MAX_LINE);
    let last = "";
    const tell = (lines: Iterable<string>) => {
      for (const line of lines) {
        if (line.trim() === "") continue;
        last = line.trim();
        log.info("{line}", { line });
      }
    };
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      try {
        tell(splitter.push(value));
      } catch {
        splitter.reset(); // a line without end, such as a progress bar: it is left out
      }
    }
    tell(splitter.end());
    return last;
  }
}

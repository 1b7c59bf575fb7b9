/** Lines that are kept. */
const KEPT_LINES = 30;

/** Characters of a line that are kept. */
const KEPT_LENGTH = 400;

/** One line of what a tool said. */
interface LogLine {
  level: string;
  text: string;
}

/** Lines that only say that something was said before. */
const echoes =
  /^(Conversion failed|(Error initializing output stream \S+ -- )?Error while opening encoder\b|Error opening (in|out)put files?\b|Error initializing the muxer|Exiting |Terminating |(file|pipe):.*: Invalid argument$)/;

/** Lines that only say that a filter could not be made or used, after the filter's own. */
const filterEchoes =
  /^(Error (re)?initializing (complex )?filters|Failed to (inject frame|configure input pad)|Error while (processing|filtering)|Invalid argument$|Option not found$)/;

/**
 * What ffmpeg or ffprobe say on their standard error, with `-loglevel level+info`. Keeps the last lines.
 */
export class ToolLog {
  readonly #lines: LogLine[] = [];
  readonly #inputStart = Promise.withResolvers<number>();
  #errors = 0;
  /** Resolves when the tool has closed it. */
  readonly ended: Promise<void>;

  /** @param stderr read to its end */
  constructor(stderr: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stderr);
  }

  /** When the input starts on its own clock, in s; 0 if that was not told. Resolves before any output. */
  get inputStart(): Promise<number> {
    return this.#inputStart.promise;
  }

  /** How many errors were told. */
  get errors(): number {
    return this.#errors;
  }

  /** The last error that says something; else the last line. `undefined` if nothing was said. */
  get lastWord(): string | undefined {
    const errors = this.#lines.filter(({ level }) => isError(level));
    const telling = errors.filter(({ text }) => !isEcho(text));
    return (telling.at(-1) ?? errors.at(-1) ?? this.#lines.at(-1))?.text;
  }

  /** All errors that say something, joined; `undefined` if there are none. */
  get faults(): string | undefined {
    const telling = this.#lines.filter(({ level, text }) => isError(level) && !isEcho(text));
    return telling.length === 0 ? undefined : telling.map(({ text }) => text).join("; ");
  }

  /** The last line that matches. */
  find(pattern: RegExp): string | undefined {
    return this.#lines.findLast(({ text }) => pattern.test(text))?.text;
  }

  async #read(stderr: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    try {
      for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split(/[\r\n]+/);
        rest = lines.pop()!.slice(-4 * KEPT_LENGTH);
        for (const line of lines) this.#add(line);
      }
    } catch {
      // a pipe that breaks ends what is told; the exit status tells the rest
    }
    this.#add(rest);
    this.#inputStart.resolve(0);
  }

  #add(line: string): void {
    if (line.trim() === "") return;
    const match = /^(?:\[[^\]]* @ [^\]]*\] ?)*(?:\[(\w+)\] )?(.*)$/.exec(line);
    const [, level = "info", text = line] = match ?? [];
    const start = /^\s*Duration: .*\bstart: (-?[\d.]+)/.exec(text);
    if (start !== null) this.#inputStart.resolve(Number(start[1]));
    else if (/^(Stream mapping|Output #)/.test(text)) this.#inputStart.resolve(0);
    if (isError(level)) this.#errors++;
    this.#lines.push({ level, text: text.trim().slice(0, KEPT_LENGTH) });
    if (this.#lines.length > KEPT_LINES) this.#drop();
  }

  /** Drops the oldest line, errors last. */
  #drop(): void {
    const plain = this.#lines.findIndex(({ level }) => !isError(level));
    this.#lines.splice(Math.max(0, plain), 1);
  }
}

function isError(level: string): boolean {
  return level === "error" || level === "fatal" || level === "panic";
}

function isEcho(text: string): boolean {
  return echoes.test(text) || filterEchoes.test(text);
}

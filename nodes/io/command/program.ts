import { messageOf } from "../../../core/errors.ts";
import type { Logger } from "../../../core/log.ts";
import { ByteInput } from "../_byte_input.ts";
import { decode, type DecoderOptions } from "./decoders.ts";
import { ErrorOutput } from "./error_output.ts";

/** What to start, and how to read it. */
export interface ProgramOptions extends DecoderOptions {
  /** Name or path of the program. */
  command: string;
  /** Its arguments. */
  args: string[];
  /** Its folder. */
  cwd?: string;
  /** Environment variables, beside those of this process. */
  env: Record<string, string>;
  /** Called when an output waits to be taken. */
  onOutput?: () => void;
}

/** Outputs that wait to be taken before the program is read no further. */
const AHEAD = 16;

/** How long a program may take to end after SIGTERM, in ms; then comes SIGKILL. */
const KILL_MS = 2000;

/** How long what it said of errors is read after its end, in ms: by then all of it lies in the pipe. */
const LAST_WORDS_MS = 1000;

/**
 * A running program. Its output is read `AHEAD` outputs ahead, so that it does not stand still while its
 * input is written; then the pipe holds it up.
 */
export class Program {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBufferLike>>;
  readonly #stdout: ByteInput;
  readonly #stderr: ErrorOutput;
  readonly #ready: unknown[] = [];
  readonly #over: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #killed = false;
  #failure: unknown;

  /** Starts it. @throws {Error} that names the program, if it cannot be started */
  constructor(options: ProgramOptions, log: Logger) {
    const { command, args, cwd, env } = options;
    this.#name = command;
    try {
      this.#child = new Deno.Command(command, {
        args,
        ...(cwd === undefined ? {} : { cwd }),
        env,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        detached: true, // a terminal's Ctrl-C is for us, who may still have chunks for it
      }).spawn();
    } catch (cause) {
      const reason = cause instanceof Deno.errors.NotFound
        ? "it cannot be found"
        : messageOf(cause);
      throw new Error(`Cannot start "${command}" as ${reason}`, { cause });
    }
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdin.closed.catch(() => {}); // write() and closeInput() tell
    this.#stdout = ByteInput.ofStream(this.#child.stdout);
    this.#stderr = new ErrorOutput(this.#child.stderr, log);
    this.#over = this.#run(options);
  }

  /** Whether it has ended and all its outputs are taken. */
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

  /** Whether outputs wait to be taken. */
  get hasOutput(): boolean {
    return this.#ready.length > 0;
  }

  /** Takes an output that waits. */
  take(): unknown {
    const output = this.#ready.shift();
    this.tell();
    return output;
  }

  /** Resolves when an output comes, the program ends, or {@linkcode Program.tell} is called. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Lets who waits look again. */
  tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** Writes to its input. Resolves when the pipe has taken it, or the program reads no more. */
  async write(pieces: readonly Uint8Array<ArrayBufferLike>[]): Promise<void> {
    try {
      for (const piece of pieces) await this.#stdin.write(piece);
    } catch {
      // it closed its input: whether that is well its end tells
    }
  }

  /** Ends its input. */
  async closeInput(): Promise<void> {
    try {
      await this.#stdin.close();
    } catch {
      // it had closed it
    }
  }

  /** Ends it: what it would still give is dropped. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.#ended) {
      this.#killed = true;
      this.#signal("SIGTERM");
      this.#ready.length = 0;
      // a program of its own that it started may keep the pipes open
      await Promise.all([this.#stdout.close(), this.#stderr.cancel()]);
      this.tell();
    }
    const timer = this.#killLater();
    await this.#over;
    clearTimeout(timer);
  }

  #killLater(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#signal("SIGKILL"), KILL_MS);
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // it has ended by itself
    }
  }

  /** Reads all that it gives, and waits for its end. Never fails. */
  async #run(options: ProgramOptions): Promise<void> {
    let fault: unknown;
    try {
      for await (const output of decode(this.#stdout, options)) {
        if (this.#killed) break;
        this.#ready.push(output);
        this.tell();
        options.onOutput?.();
        while (this.#ready.length >= AHEAD && !this.#killed) await this.#changed.promise;
      }
    } catch (error) {
      fault = error;
    }
    if (fault !== undefined) this.#signal("SIGTERM"); // nobody reads it any more
    const kill = fault === undefined ? undefined : this.#killLater();
    await this.#stdout.close();
    const status = await this.#child.status;
    clearTimeout(kill);
    // a program of its own that it left behind may keep the pipe open
    const cut = setTimeout(() => void this.#stderr.cancel(), LAST_WORDS_MS);
    const words = await this.#stderr.lastLine;
    clearTimeout(cut);
    await this.#stdin.abort().catch(() => {}); // its end of the pipe is gone
    if (!this.#killed) this.#failure = this.#explain(status, words, fault);
    this.#ended = true;
    this.tell();
  }

  #explain(status: Deno.CommandStatus, words: string, fault: unknown): Error | undefined {
    if (fault !== undefined) {
      return new Error(`Cannot read from "${this.#name}" as ${messageOf(fault)}`, { cause: fault });
    }
    if (status.success) return undefined;
    const how = status.signal === null ? `exit code ${status.code}` : status.signal;
    return new Error(`"${this.#name}" ended with ${how}${words === "" ? "" : `: ${words}`}`);
  }
}

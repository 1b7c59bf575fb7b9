import { MediaError, messageOf } from "../../../core/errors.ts";
import { loggerFor } from "../../../core/log.ts";
import { ToolLog } from "./tool_log.ts";

/** The programs that media goes through. */
export type ToolName = "ffmpeg" | "ffprobe";

const variables: Readonly<Record<ToolName, string>> = {
  ffmpeg: "FFMPEG_PATH",
  ffprobe: "FFPROBE_PATH",
};

const installs: Readonly<Record<string, string>> = {
  darwin: '"brew install ffmpeg"',
  windows: '"winget install ffmpeg"',
  linux: '"apt-get install ffmpeg" (or your system\'s package manager)',
};

/** What a {@linkcode ToolProcess} is started with. */
interface ToolStart {
  /** What it is for, to follow `Cannot` in messages. */
  action: string;
  /** The program, where it was named by an option. */
  program?: string;
  /** Whether it is fed; otherwise its input is empty. */
  stdin: boolean;
  /** Whether it gives bytes; otherwise they are thrown away. */
  stdout: boolean;
}

/** A running ffmpeg or ffprobe. */
export class ToolProcess {
  readonly #child: Deno.ChildProcess;
  readonly #name: ToolName;
  readonly #action: string;
  readonly #isFed: boolean;
  #killed = false;
  /** What it says. */
  readonly log: ToolLog;

  private constructor(child: Deno.ChildProcess, name: ToolName, { action, stdin }: ToolStart) {
    this.#child = child;
    this.#name = name;
    this.#action = action;
    this.#isFed = stdin;
    this.log = new ToolLog(child.stderr);
  }

  /** @throws {MediaError} if there is no such program or it may not be run */
  static start(name: ToolName, args: readonly string[], start: ToolStart): ToolProcess {
    const program = start.program ?? programOf(name);
    try {
      const child = new Deno.Command(program, {
        args: [...args],
        stdin: start.stdin ? "piped" : "null",
        stdout: start.stdout ? "piped" : "null",
        stderr: "piped",
        detached: true, // a terminal's Ctrl-C is for us: what is on its way is still written
      }).spawn();
      log.debug("Started {name} as process {pid}: {args}", { name, pid: child.pid, args });
      return new ToolProcess(child, name, start);
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound
        ? `${program} was not found: install it with ${
          installs[Deno.build.os] ?? installs.linux
        }, ` +
          `or set ${variables[name]} to where it is`
        : `${program} could not be started: ${messageOf(cause)}`;
      throw new MediaError(`Cannot ${start.action} as ${why}`, { cause });
    }
  }

  /** What it gives. Only if it was started so. */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** What it is fed. Only if it was started so. */
  get stdin(): WritableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdin;
  }

  /**
   * Waits until it has ended. Its output must be read, its input closed.
   *
   * @throws {MediaError} if it failed or was ended by a signal, with what it said last
   */
  async finish(): Promise<void> {
    const status = await this.#child.status;
    await this.log.ended;
    if (status.success) return;
    const said = this.log.lastWord;
    if (status.signal !== null) {
      const last = said === undefined ? "" : `; it said last: ${said}`;
      throw this.failure(`${this.#name} was ended by ${status.signal}${last}`);
    }
    throw this.failure(
      this.#explain() ?? `${this.#name} failed: ${said ?? `exit code ${status.code}`}`,
    );
  }

  /** An error that says what could not be done, and why. */
  failure(why: string, cause?: unknown): MediaError {
    return new MediaError(`Cannot ${this.#action} as ${why}`, { cause });
  }

  /** Ends it at once. Resolves when it is gone. Its streams must not be locked. */
  async kill(): Promise<void> {
    if (!this.#killed) {
      this.#killed = true;
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // it has ended already
      }
    }
    await this.#child.status;
    await this.log.ended;
    if (this.#isFed) await this.#child.stdin.abort().catch(() => {}); // closed already, or broken by its end
  }

  /** The known ways to fail in plain words. */
  #explain(): string | undefined {
    const { log } = this;
    const index = log.find(/moov atom not found/);
    if (index !== undefined) return `it is cut off, or no MP4 at all: ${index}`;
    const missing = log.find(/matches no streams/);
    if (missing !== undefined) return `it has no ${/:V:/.test(missing) ? "video" : "audio"}`;
    const invalid = log.find(/Invalid data found when processing input/);
    if (invalid !== undefined) {
      return `it is no audio or video that ${this.#name} knows: Invalid data found when processing input`;
    }
  }
}

/** The program to run. The environment may not be readable: then it is looked for on the `PATH`. */
export function programOf(name: ToolName): string {
  try {
    return Deno.env.get(variables[name]) || name;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return name;
    throw error;
  }
}

const log = loggerFor("media");

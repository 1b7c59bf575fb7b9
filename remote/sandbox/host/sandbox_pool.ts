import { loggerFor } from "../../../core/log.ts";
import { SandboxError } from "../../../core/errors.ts";
import { type Launch, launchKey } from "./launch.ts";
import { SandboxProcess } from "./sandbox_process.ts";

/** Options of a {@linkcode SandboxPool}. */
export interface SandboxPoolOptions {
  /** How many processes wait for work of each kind that was asked for. @default 1 */
  warm?: number;
  /** For how many kinds processes wait; the one asked for longest ago is given up. @default 4 */
  kinds?: number;
  /** How many processes there may be, waiting and working. @default 64 */
  max?: number;
}

/** How long after one was taken the next is started, in ms: the start of one takes a core that the other needs. */
const REFILL_MS = 100;

interface Kind {
  launch: Launch;
  waiting: Promise<SandboxProcess>[];
  /** The next is about to be started. */
  refill?: ReturnType<typeof setTimeout>;
}

/**
 * Processes that have started and wait for a bundle, so that a new sandbox takes the time of a message and
 * not that of a process. A process is used once. Holds at most `warm` × `kinds` waiting processes.
 */
export class SandboxPool implements AsyncDisposable {
  readonly #warm: number;
  readonly #maxKinds: number;
  readonly #max: number;
  /** The kind asked for last is the last. */
  readonly #kinds = new Map<string, Kind>();
  /** All processes that there are, waiting and working. */
  readonly #all = new Set<Promise<SandboxProcess>>();
  #closed = false;

  /** @param options how many processes wait */
  constructor({ warm = 1, kinds = 4, max = 64 }: SandboxPoolOptions = {}) {
    this.#warm = warm;
    this.#maxKinds = kinds;
    this.#max = max;
  }

  /** How many processes there are, waiting and working. */
  get size(): number {
    return this.#all.size;
  }

  /** Starts processes for a launch before they are needed. Resolves when they wait. */
  async prepare(launch: Launch): Promise<void> {
    const kind = this.#kind(launch);
    this.#fill(kind);
    await Promise.all(kind.waiting);
  }

  /**
   * A process that waits for a bundle, or a new one.
   *
   * @throws {SandboxError} if it does not start, or there are as many as there may be
   */
  async take(launch: Launch): Promise<SandboxProcess> {
    if (this.#closed) throw new SandboxError("Sandbox pool is closed", { reason: "denied" });
    const kind = this.#kind(launch);
    for (let waiting = kind.waiting.shift(); waiting; waiting = kind.waiting.shift()) {
      const process = await waiting.catch(() => undefined); // #fill() logs why it did not start
      if (process?.alive) {
        this.#refill(kind);
        return process;
      }
    }
    await this.#makeRoom();
    const process = await this.#start(launch);
    this.#refill(kind);
    if (process.alive) return process;
    await process.over;
    throw process.endError;
  }

  /** Ends all processes, those that work too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { refill } of this.#kinds.values()) clearTimeout(refill);
    this.#kinds.clear();
    await Promise.all([...this.#all].map(end));
  }

  #kind(launch: Launch): Kind {
    const key = launchKey(launch);
    const kind = this.#kinds.get(key) ?? { launch, waiting: [] };
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    for (const [oldest, { waiting, refill }] of this.#kinds) {
      if (this.#kinds.size <= this.#maxKinds) break;
      this.#kinds.delete(oldest);
      clearTimeout(refill);
      for (const process of waiting) void end(process);
    }
    return kind;
  }

  /** Starts what is missing, once those who took one have got on with it. */
  #refill(kind: Kind): void {
    if (this.#closed) return;
    kind.refill ??= setTimeout(() => {
      kind.refill = undefined;
      this.#fill(kind);
    }, REFILL_MS);
  }

  #fill(kind: Kind): void {
    if (this.#closed || this.#kinds.get(launchKey(kind.launch)) !== kind) return; // given up
    while (kind.waiting.length < this.#warm && this.#all.size < this.#max) {
      const started = this.#start(kind.launch);
      kind.waiting.push(started);
      started.catch((error) => {
        kind.waiting = kind.waiting.filter((waiting) => waiting !== started);
        log.error("Cannot start a process to wait: {error}", { error });
      });
    }
  }

  /** Gives up a process that waits for work of another kind, where there may be no more. */
  async #makeRoom(): Promise<void> {
    for (const { waiting } of this.#kinds.values()) {
      if (this.#all.size < this.#max) return;
      const idle = waiting.shift();
      if (idle !== undefined) await end(idle);
    }
  }

  #start(launch: Launch): Promise<SandboxProcess> {
    if (this.#all.size >= this.#max) {
      return Promise.reject(
        new SandboxError(`Cannot start sandbox as there may be ${this.#max} at most`, {
          reason: "denied",
          retryable: true,
        }),
      );
    }
    const started = SandboxProcess.start(launch);
    this.#all.add(started);
    const forget = () => void this.#all.delete(started);
    started.then((process) => process.over.then(forget), forget);
    return started;
  }
}

/** Kills a process and waits until it is gone. Whoever asked for it is told why it did not start. */
async function end(started: Promise<SandboxProcess>): Promise<void> {
  try {
    const process = await started;
    process.kill("crash", "was closed");
    await process.over;
  } catch {
    // it did not start
  }
}

const log = loggerFor("sandbox");

import { RemoteError } from "../../core/errors.ts";
import { status } from "../wire/grpc_status.ts";

/** How long a call may take to open its session, in ms: until then it counts in no other limit. */
const OPEN_MS = 10_000;

/** How often it is looked, in the time that a session may be silent. */
const LOOKS = 10;

/**
 * Ends a session that is not opened, is silent, or runs for too long. One timer of each, however many
 * messages pass.
 */
export class Timeouts {
  readonly #fail: (error: RemoteError) => void;
  readonly #idleMs: number;
  readonly #openTimer: ReturnType<typeof setTimeout>;
  readonly #wallTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setInterval> | undefined;
  /** Whether something was sent or came since it was looked at last, and how often nothing was. */
  #touched = false;
  #silent = 0;

  /** @param limits 0 for no limit; @param fail told when one is passed */
  constructor(
    { idleTimeoutMs, wallTimeoutMs }: { idleTimeoutMs: number; wallTimeoutMs: number },
    fail: (error: RemoteError) => void,
  ) {
    this.#fail = fail;
    this.#idleMs = idleTimeoutMs;
    this.#openTimer = setTimeout(() => {
      fail(exceeded(`it was not opened within ${OPEN_MS} ms`));
    }, OPEN_MS);
    if (wallTimeoutMs > 0) {
      this.#wallTimer = setTimeout(() => {
        fail(exceeded(`it took longer than ${wallTimeoutMs} ms`));
      }, wallTimeoutMs);
    }
    if (idleTimeoutMs > 0) this.#watch();
  }

  /** Its first message has come. */
  opened(): void {
    clearTimeout(this.#openTimer);
  }

  /** Something was sent or came. */
  touch(): void {
    this.#touched = true; // a clock would take longer than all else that a message needs here
  }

  /** It is over. */
  clear(): void {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#wallTimer);
    clearInterval(this.#idleTimer);
  }

  /** Looks often enough to end a session at most a tenth late. */
  #watch(): void {
    this.#idleTimer = setInterval(() => {
      this.#silent = this.#touched ? 0 : this.#silent + 1;
      this.#touched = false;
      if (this.#silent < LOOKS) return;
      this.#fail(exceeded(`nothing was sent for ${this.#idleMs} ms`));
    }, this.#idleMs / LOOKS);
  }
}

function exceeded(why: string): RemoteError {
  return new RemoteError(`The server ended the session as ${why}`, {
    code: status.DEADLINE_EXCEEDED,
  });
}

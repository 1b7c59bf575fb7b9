import { status } from "@grpc/grpc-js";
import { RemoteError } from "../../core/errors.ts";

/** How long a call may take to open its session, in ms: until then it counts in no other limit. */
const OPEN_MS = 10_000;

/**
 * Ends a session that is not opened, is silent, or runs for too long. One timer of each, however many
 * messages pass.
 */
export class Timeouts {
  readonly #fail: (error: RemoteError) => void;
  readonly #idleMs: number;
  readonly #openTimer: ReturnType<typeof setTimeout>;
  readonly #wallTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #touched = performance.now();

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
    if (idleTimeoutMs > 0) this.#watch(idleTimeoutMs);
  }

  /** Its first message has come. */
  opened(): void {
    clearTimeout(this.#openTimer);
  }

  /** Something was sent or came. */
  touch(): void {
    this.#touched = performance.now();
  }

  /** It is over. */
  clear(): void {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#wallTimer);
    clearTimeout(this.#idleTimer);
  }

  #watch(ms: number): void {
    this.#idleTimer = setTimeout(() => {
      const left = this.#touched + this.#idleMs - performance.now();
      if (left > 0) this.#watch(left);
      else this.#fail(exceeded(`nothing was sent for ${this.#idleMs} ms`));
    }, ms);
  }
}

function exceeded(why: string): RemoteError {
  return new RemoteError(`The server ended the session as ${why}`, {
    code: status.DEADLINE_EXCEEDED,
  });
}

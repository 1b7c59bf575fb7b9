import { status } from "@grpc/grpc-js";
import { RemoteError } from "../../core/errors.ts";

/** Ends a session that is silent or runs for too long. One timer, however many messages pass. */
export class Timeouts {
  readonly #fail: (error: RemoteError) => void;
  readonly #idleMs: number;
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
    if (wallTimeoutMs > 0) {
      this.#wallTimer = setTimeout(() => {
        fail(exceeded(`it took longer than ${wallTimeoutMs} ms`));
      }, wallTimeoutMs);
    }
    if (idleTimeoutMs > 0) this.#watch(idleTimeoutMs);
  }

  /** Something was sent or came. */
  touch(): void {
    this.#touched = performance.now();
  }

  /** It is over. */
  clear(): void {
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

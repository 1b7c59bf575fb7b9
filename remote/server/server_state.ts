import { RemoteError } from "../../core/errors.ts";
import { status } from "@grpc/grpc-js";
import type { ReadOptions } from "../wire/batch_reader.ts";
import type { SessionLimits } from "./session.ts";
import type { SessionHost } from "./session_nodes.ts";

/** What a server's calls share. */
export class ServerState {
  /** How nodes are made. */
  readonly host: SessionHost;
  /** What bounds one session. */
  readonly limits: SessionLimits;
  /** What bounds the reading of a message. */
  readonly readOptions: ReadOptions = {};
  /** The most sessions that run at once. */
  readonly maxSessions: number;
  /** The largest message, in bytes. */
  readonly maxMessageBytes: number;
  readonly #places = new Map<string, number>();
  #sessions = 0;
  #draining = false;

  constructor(
    host: SessionHost,
    { limits, maxSessions, maxMessageBytes }: {
      limits: SessionLimits;
      maxSessions: number;
      maxMessageBytes: number;
    },
  ) {
    this.maxMessageBytes = maxMessageBytes;
    this.host = host;
    this.limits = limits;
    this.maxSessions = maxSessions;
  }

  /** @throws {RemoteError} if a response grows past the largest message */
  checkResponseSize(bytes: number): void {
    if (bytes <= this.maxMessageBytes) return;
    throw new RemoteError(
      `The output is larger than one message may be (${this.maxMessageBytes} bytes): use Stream`,
      { code: status.RESOURCE_EXHAUSTED },
    );
  }

  /** Sessions that run. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Places that are kept. */
  get reserved(): number {
    this.#forgetExpired();
    return this.#places.size;
  }

  /** Whether new sessions are refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** From now on, refuses new sessions. */
  drain(): void {
    this.#draining = true;
    this.#places.clear();
  }

  /**
   * Keeps a place for a session.
   *
   * @returns its name
   * @throws {RemoteError} if there is none
   */
  reserve(ttlMs: number): string {
    this.#checkRoom();
    const id = crypto.randomUUID();
    this.#places.set(id, Date.now() + ttlMs);
    return id;
  }

  /**
   * Takes a place: the one that was kept, else a free one.
   *
   * @returns gives it back
   * @throws {RemoteError} if there is none
   */
  admit(reservation: string): () => void {
    this.#forgetExpired();
    if (!this.#places.delete(reservation)) this.#checkRoom();
    this.#sessions++;
    return () => {
      this.#sessions--;
    };
  }

  #checkRoom(): void {
    if (this.#draining) {
      throw new RemoteError("The server is about to end and takes no new sessions", {
        code: status.UNAVAILABLE,
        retryable: true,
        retryAfterMs: 1_000,
      });
    }
    this.#forgetExpired();
    if (this.#sessions + this.#places.size < this.maxSessions) return;
    throw new RemoteError(
      `The server is full: ${this.maxSessions} of ${this.maxSessions} sessions are in use`,
      { code: status.RESOURCE_EXHAUSTED, retryable: true, retryAfterMs: 1_000 },
    );
  }

  #forgetExpired(): void {
    const now = Date.now();
    for (const [id, until] of this.#places) {
      if (until <= now) this.#places.delete(id);
    }
  }
}

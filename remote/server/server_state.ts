import { RemoteError } from "../../core/errors.ts";
import { status } from "@grpc/grpc-js";
import type { ReadOptions } from "../wire/batch_reader.ts";
import type { Access, Caller } from "./access.ts";
import type { Metrics } from "./metrics.ts";
import type { Session, SessionLimits } from "./session.ts";
import type { SessionHost } from "./session_nodes.ts";
import { Usage } from "./usage.ts";

/** What a server's calls share from its start. */
export interface ServerSettings {
  /** How nodes are made. */
  host: SessionHost;
  /** What bounds one session. */
  limits: SessionLimits;
  /** The most sessions that run at once. */
  maxSessions: number;
  /** The largest message, in bytes. */
  maxMessageBytes: number;
  /** How long a session may go without a message either way, in ms; 0 for ever. */
  idleTimeoutMs: number;
  /** How long a session may take, in ms; 0 for ever. */
  wallTimeoutMs: number;
  /** Tells callers apart. */
  access: Access;
  /** Counts. */
  metrics: Metrics;
}

/** A session's place. */
export interface Admission {
  /** What the caller uses, over all of its sessions. */
  usage: Usage;
  /** Gives the place back. */
  release(): void;
}

/** What a server's calls share. */
export class ServerState {
  /** What they share from its start. */
  readonly settings: ServerSettings;
  /** What bounds the reading of a message. */
  readonly readOptions: ReadOptions = {};
  /** Sessions that run over `Stream`. */
  readonly live: Set<Session> = new Set();
  readonly #places = new Map<string, number>();
  readonly #usage = new Map<string, Usage>();
  #sessions = 0;
  #draining = false;

  constructor(settings: ServerSettings) {
    this.settings = settings;
  }

  /** What the holder of a token uses. Bounded: one for each token. */
  usageOf(caller: Caller): Usage {
    const known = this.#usage.get(caller.name);
    if (known !== undefined) return known;
    const usage = new Usage(caller);
    this.#usage.set(caller.name, usage);
    return usage;
  }

  /** @throws {RemoteError} if a response grows past the largest message */
  checkResponseSize(bytes: number): void {
    const { maxMessageBytes } = this.settings;
    if (bytes <= maxMessageBytes) return;
    throw new RemoteError(
      `The output is larger than one message may be (${maxMessageBytes} bytes): use Stream`,
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
   * @throws {RemoteError} if there is none
   */
  admit(caller: Caller, reservation: string): Admission {
    this.#forgetExpired();
    const usage = this.usageOf(caller);
    usage.checkSession();
    if (!this.#places.delete(reservation)) this.#checkRoom();
    this.#sessions++;
    usage.sessions++;
    return {
      usage,
      release: () => {
        this.#sessions--;
        usage.sessions--;
      },
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
    const { maxSessions } = this.settings;
    if (this.#sessions + this.#places.size < maxSessions) return;
    throw new RemoteError(
      `The server is full: ${maxSessions} of ${maxSessions} sessions are in use`,
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

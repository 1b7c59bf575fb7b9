import { RemoteError } from "../../core/errors.ts";
import type { ReadOptions } from "../wire/batch_reader.ts";
import type { Access, Caller } from "./access.ts";
import type { Metrics } from "./metrics.ts";
import { aboutToEnd, type Admission, type Places } from "./places.ts";
import type { Pipelines } from "./pipelines/pipelines.ts";
import type { Session, SessionLimits } from "./session.ts";
import type { SessionHost } from "./session_nodes.ts";
import { status } from "../wire/grpc_status.ts";

/** What a server's calls share from its start. */
export interface ServerSettings {
  /** How nodes are made. */
  host: SessionHost;
  /** What bounds one session. */
  limits: SessionLimits;
  /** The most sessions that run at once. */
  maxSessions: number;
  /** Gives sessions their places. */
  places: Places;
  /** The largest message, in bytes. */
  maxMessageBytes: number;
  /** How long a session may go without a message either way, in ms; 0 for ever. */
  idleTimeoutMs: number;
  /** How long a session may take, in ms; 0 for ever. */
  wallTimeoutMs: number;
  /** Tells callers apart. */
  access: Access;
  /** The registered pipelines; `undefined` where none are kept. */
  pipelines?: Pipelines;
  /** Counts. */
  metrics: Metrics;
}

/** What a server's calls share. */
export class ServerState {
  /** What they share from its start. */
  readonly settings: ServerSettings;
  /** What bounds the reading of a message. */
  readonly readOptions: ReadOptions = {};
  /** Sessions that run over `Stream`. */
  readonly live: Set<Session> = new Set();
  #sessions = 0;
  #draining = false;

  constructor(settings: ServerSettings) {
    this.settings = settings;
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

  /** Sessions that run in this process. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Whether new sessions are refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** From now on, refuses new sessions. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Takes a place: the one that was kept, else a free one. At once where this process counts them.
   *
   * @throws {RemoteError} if there is none
   */
  admit(caller: Caller, reservation: string): Admission | Promise<Admission> {
    if (this.#draining) throw aboutToEnd();
    const admitted = this.settings.places.admit(caller, reservation);
    return admitted instanceof Promise
      ? admitted.then((admission) => this.#count(admission))
      : this.#count(admitted);
  }

  #count({ usage, release }: Admission): Admission {
    this.#sessions++;
    return {
      usage,
      release: () => {
        this.#sessions--;
        release();
      },
    };
  }
}

import process from "node:process";
import { RemoteError } from "../../core/errors.ts";
import type { Caller } from "./access.ts";
import { type CallerUsage, Usage } from "./usage.ts";
import { status } from "../wire/grpc_status.ts";

/** A session's place. */
export interface Admission {
  /** What the caller uses, over all of its sessions. */
  usage: CallerUsage;
  /** Gives the place back. */
  release(): void;
}

/** A place that is kept for a session to come. */
export interface Reserved {
  /** Its name. */
  reservation: string;
  /** Sessions and places in use, this one included. */
  inUse: number;
}

/** How full a server is, and what it uses. */
export interface Load {
  /** Sessions that run. */
  sessions: number;
  /** Places that are kept. */
  reserved: number;
  /** Memory, in bytes. */
  rssBytes: number;
  /** CPU time so far, in ms. */
  cpuMs: number;
  /** How long it runs, in ms. */
  uptimeMs: number;
}

/** What this process uses. */
export function processLoad(): Pick<Load, "rssBytes" | "cpuMs"> {
  const { user, system } = process.cpuUsage();
  return { rssBytes: Deno.memoryUsage().rss, cpuMs: (user + system) / 1_000 };
}

/** How often a draining server looks whether it is empty, in ms. */
const DRAIN_POLL = 50;

/** Gives sessions their places: this process itself, or the front of several. */
export interface Places {
  /**
   * Takes a place: the one that was kept, else a free one.
   *
   * @throws {RemoteError} if there is none
   */
  admit(caller: Caller, reservation: string): Admission | Promise<Admission>;
  /**
   * Keeps a place for a session.
   *
   * @throws {RemoteError} if there is none
   */
  reserve(caller: Caller, ttlMs: number): Reserved | Promise<Reserved>;
  /** What a caller uses, over all that it has. */
  usageOf(caller: Caller): CallerUsage;
  /** How full the server is. */
  load(): Load | Promise<Load>;
}

/** The places of a server, counted here. */
export class CountedPlaces implements Places {
  readonly #maxSessions: number;
  readonly #kept = new Map<string, { until: number; caller: string }>();
  readonly #usage = new Map<string, Usage>();
  #sessions = 0;
  #draining = false;

  /** @param maxSessions the most sessions at once */
  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  /** Sessions that run. */
  get sessions(): number {
    return this.#sessions;
  }

  /** From now on, gives none. */
  drain(): void {
    this.#draining = true;
    this.#kept.clear();
  }

  /** Resolves when no session runs, or after so many seconds. */
  async untilEmpty(seconds: number): Promise<void> {
    const until = performance.now() + 1_000 * seconds;
    while (this.#sessions > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL));
    }
  }

  load(): Load {
    this.#forgetExpired();
    return {
      sessions: this.#sessions,
      reserved: this.#kept.size,
      uptimeMs: performance.now(),
      ...processLoad(),
    };
  }

  reserve(caller: Caller, ttlMs: number): Reserved {
    this.#checkRoom();
    this.usageOf(caller).checkSession(this.#keptFor(caller)); // else a token could keep all places from others
    const reservation = crypto.randomUUID();
    this.#kept.set(reservation, { until: Date.now() + ttlMs, caller: caller.name });
    return { reservation, inUse: this.#sessions + this.#kept.size };
  }

  admit(caller: Caller, reservation: string): Admission {
    this.#forgetExpired();
    const usage = this.usageOf(caller);
    usage.checkSession();
    if (!this.#kept.delete(reservation)) this.#checkRoom();
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

  /** What the holder of a token uses. Bounded: one for each token. */
  usageOf(caller: Caller): Usage {
    const known = this.#usage.get(caller.name);
    if (known !== undefined) return known;
    const usage = new Usage(caller);
    this.#usage.set(caller.name, usage);
    return usage;
  }

  #checkRoom(): void {
    if (this.#draining) throw aboutToEnd();
    this.#forgetExpired();
    const max = this.#maxSessions;
    if (this.#sessions + this.#kept.size < max) return;
    throw new RemoteError(`The server is full: ${max} of ${max} sessions are in use`, {
      code: status.RESOURCE_EXHAUSTED,
      retryable: true,
      retryAfterMs: 1_000,
    });
  }

  #forgetExpired(): void {
    const now = Date.now();
    for (const [id, { until }] of this.#kept) {
      if (until <= now) this.#kept.delete(id);
    }
  }

  /** Places that are kept for a caller. */
  #keptFor({ name }: Caller): number {
    return [...this.#kept.values()].filter(({ caller }) => caller === name).length;
  }
}

/** What a draining server tells who wants a place. */
export function aboutToEnd(): RemoteError {
  return new RemoteError("The server is about to end and takes no new sessions", {
    code: status.UNAVAILABLE,
    retryable: true,
    retryAfterMs: 1_000,
  });
}

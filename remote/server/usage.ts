import { RemoteError } from "../../core/errors.ts";
import type { Caller } from "./access.ts";
import { status } from "../wire/grpc_status.ts";

/** What a session must know of its caller's other sessions. */
export interface CallerUsage {
  /** Sessions that run. */
  readonly sessions: number;
  /** Nodes have worked for so long, in ms. @throws {RemoteError} RESOURCE_EXHAUSTED, if that was too much */
  addCpu(ms: number): void | Promise<void>;
}

/** How much the holder of one token uses now. */
export class Usage implements CallerUsage {
  /** Sessions that run. */
  sessions = 0;
  /** CPU time of nodes, in ms, by second of the last minute. Bounded: 60 numbers. */
  readonly #cpu = new Float64Array(60);
  #second = 0;
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @param kept places that are kept for more. @throws {RemoteError} RESOURCE_EXHAUSTED, if a session more is too many */
  checkSession(kept = 0): void {
    const { name, policy: { maxSessions = Infinity, cpuSecondsPerMinute = Infinity } } =
      this.#caller;
    if (this.sessions + kept >= maxSessions) {
      throw exhausted(`"${name}" may have ${maxSessions} sessions at once`, 1_000);
    }
    if (this.cpuMs() >= 1_000 * cpuSecondsPerMinute) {
      throw exhausted(`"${name}" may use ${cpuSecondsPerMinute} s of CPU a minute`, 10_000);
    }
  }

  /** Nodes have worked. @throws {RemoteError} RESOURCE_EXHAUSTED, if that was too much */
  addCpu(ms: number, now: number = Date.now()): void {
    this.#turn(now);
    this.#cpu[this.#second % 60]! += ms;
    const { name, policy: { cpuSecondsPerMinute = Infinity } } = this.#caller;
    if (this.cpuMs(now) > 1_000 * cpuSecondsPerMinute) {
      throw exhausted(`"${name}" may use ${cpuSecondsPerMinute} s of CPU a minute`, 10_000);
    }
  }

  /** CPU time of the last minute, in ms. */
  cpuMs(now: number = Date.now()): number {
    this.#turn(now);
    return this.#cpu.reduce((sum, ms) => sum + ms, 0);
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1_000);
    for (let past = Math.max(this.#second + 1, second - 59); past <= second; past++) {
      this.#cpu[past % 60] = 0;
    }
    this.#second = Math.max(this.#second, second);
  }
}

function exhausted(rule: string, retryAfterMs: number): RemoteError {
  return new RemoteError(`Cannot serve session as ${rule}`, {
    code: status.RESOURCE_EXHAUSTED,
    retryable: true,
    retryAfterMs,
  });
}

import { RemoteError } from "../../../core/errors.ts";
import type { Caller } from "../access.ts";
import type { Admission, Load, Places, Reserved } from "../places.ts";
import type { CallerUsage } from "../usage.ts";
import type { Answers, FrontMessage, Question, WorkerMessage } from "./messages.ts";

interface Asked {
  resolve(answer: never): void;
  reject(error: Error): void;
}

/** The places of a server of several processes: the front counts them, and is asked. */
export class AskedPlaces implements Places {
  readonly #tell: (message: WorkerMessage) => void;
  /** Questions under way: as many as calls. */
  readonly #asked = new Map<number, Asked>();
  /** Sessions of callers in all workers. Bounded: one for each token. */
  readonly #sessions = new Map<string, number>();
  #lastId = 0;

  /** @param tell sends a message to the front */
  constructor(tell: (message: WorkerMessage) => void) {
    this.#tell = tell;
  }

  async admit(caller: Caller, reservation: string): Promise<Admission> {
    const { name } = caller;
    const id = this.#lastId + 1;
    const { sessions } = await this.#ask({ kind: "admit", caller: name, reservation });
    if (!this.#sessions.has(name)) this.#sessions.set(name, sessions);
    return {
      usage: this.usageOf(caller),
      release: () => this.#tell({ type: "release", id }),
    };
  }

  usageOf({ name }: Caller): CallerUsage {
    const sessions = this.#sessions;
    return {
      get sessions() {
        return sessions.get(name) ?? 1;
      },
      addCpu: async (ms) => {
        await this.#ask({ kind: "cpu", caller: name, ms });
      },
    };
  }

  reserve({ name }: Caller, ttlMs: number): Promise<Reserved> {
    return this.#ask({ kind: "reserve", caller: name, ttlMs });
  }

  load(): Promise<Load> {
    return this.#ask({ kind: "load" });
  }

  /** Takes what the front says about places. */
  accept(message: Extract<FrontMessage, { type: "answer" | "refusal" | "sessions" }>): void {
    if (message.type === "sessions") {
      this.#sessions.set(message.caller, message.sessions);
      return;
    }
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.type === "answer") asked?.resolve(message.answer as never);
    else asked?.reject(new RemoteError(message.refusal.message, message.refusal));
  }

  #ask<Q extends Question>(question: Q): Promise<Answers[Q["kind"]]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#tell({ type: "ask", id, question });
    });
  }
}

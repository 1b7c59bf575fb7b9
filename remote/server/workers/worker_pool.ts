import type { Socket } from "node:net";
import { loggerFor } from "../../../core/log.ts";
import type { FrontMessage, MetricsData } from "./messages.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** The wait before a worker that ended is started again, in ms: twice as long each time in a row. */
const [MIN_DELAY, MAX_DELAY] = [100, 10_000];

/** A worker that lived for so long, in ms, did not end because it cannot start. */
const PROVEN_MS = 10_000;

/** How often it is looked whether they say something, in ms. */
const LOOK_INTERVAL = 1_000;

/** Connections that wait for a worker; beyond, new ones are closed. */
const MAX_WAITING = 1_024;

const log = loggerFor("server", "workers");

/** Worker processes: a connection goes to the least loaded, and one that ends is started again. */
export class WorkerPool {
  readonly #start: () => WorkerProcess;
  readonly #retire: (report: MetricsData) => void;
  readonly #workers: (WorkerProcess | undefined)[];
  readonly #waiting: Socket[] = [];
  readonly #looking: ReturnType<typeof setInterval>;
  #restarts = 0;
  #draining = false;
  #closed = false;

  /**
   * @param count how many there are
   * @param options how one is started, and who is told the last metrics of one that ended
   */
  constructor(
    count: number,
    { start, retire }: { start: () => WorkerProcess; retire: (metrics: MetricsData) => void },
  ) {
    this.#start = start;
    this.#retire = retire;
    this.#workers = Array.from({ length: count }, () => undefined);
    this.#looking = setInterval(() => {
      for (const worker of this.running) worker.look();
    }, LOOK_INTERVAL);
  }

  /** Those that run. */
  get running(): WorkerProcess[] {
    return this.#workers.filter((worker) => worker?.isReady === true) as WorkerProcess[];
  }

  /** How often one was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts all of them. @throws if one does not start */
  async open(): Promise<void> {
    await Promise.all(this.#workers.map((_, index) => this.#run(index, 0)));
  }

  /** Whether one is there that answers. */
  get answers(): boolean {
    return this.running.some(({ isSilent }) => !isSilent);
  }

  /**
   * Gives a connection to the worker with the fewest sessions, of these the one with the fewest connections; to one
   * that is silent only where all are.
   */
  give(socket: Socket): void {
    const [best] = this.running.sort((a, b) =>
      Number(a.isSilent) - Number(b.isSilent) || a.admissions.size - b.admissions.size ||
      a.connections - b.connections
    );
    if (best === undefined) {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(socket);
      else socket.destroy();
      return;
    }
    best.give(socket).catch((error) => {
      log.debug("connection lost with its worker: {error}", { error });
      socket.destroy(); // the client connects again
    });
  }

  /** Tells all of them. */
  tell(message: FrontMessage): void {
    for (const worker of this.running) worker.send(message);
  }

  /** Tells all of them, and those that are started again, to take no new sessions. */
  drain(): void {
    this.#draining = true;
    this.tell({ type: "drain" });
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    await Promise.all(this.#workers.map((worker) => worker?.close()));
  }

  async #run(index: number, failures: number): Promise<void> {
    const worker = this.#start();
    this.#workers[index] = worker;
    const startedAt = performance.now();
    void worker.over.then((how) => {
      if (worker.report !== undefined) this.#retire(worker.report.metrics);
      this.#workers[index] = undefined;
      if (this.#closed) return;
      log.error("worker {pid} {how}", { pid: worker.pid, how });
      const proven = performance.now() - startedAt > PROVEN_MS;
      this.#restartLater(index, proven ? 1 : failures + 1);
    });
    await worker.ready;
    if (this.#draining) worker.send({ type: "drain" });
    for (const socket of this.#waiting.splice(0)) this.give(socket);
  }

  #restartLater(index: number, failures: number): void {
    const delay = Math.min(MAX_DELAY, MIN_DELAY * 2 ** (failures - 1));
    setTimeout(() => {
      if (this.#closed) return;
      this.#restarts++;
      this.#run(index, failures).catch(() => {}); // it ended, and is started again
    }, delay);
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { PipelineError } from "../../../core/errors.ts";
import { loggerFor } from "../../../core/log.ts";
import type { Admission } from "../places.ts";
import {
  type FrontMessage,
  type Report,
  SETUP_VARIABLE,
  type WorkerMessage,
  type WorkerSetup,
} from "./messages.ts";

/** How long a worker that was told to end may take, in ms. */
const CLOSE_MS = 3_000;

/** How long a report may take to come; a worker that computes has no time for it. In ms. */
const REPORT_MS = 500;

/**
 * Looks, one a second, after which a worker that said nothing counts as silent, and after which it is ended: one
 * that lives tells what it uses every second.
 */
const [SILENT_LOOKS, MAX_SILENT_LOOKS] = [3, 60];

/** A worker process, as the front sees it. */
export class WorkerProcess {
  /** Sessions that it runs, by the number of the question that admitted them. */
  readonly admissions = new Map<number, Admission>();
  /** Connections that it has, those on their way to it included. */
  connections = 0;
  /** What it told last about itself. */
  report: Report | undefined;
  readonly #child: ChildProcess;
  readonly #ask: (id: number, question: Asked) => void;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<string>();
  #isReady = false;
  #isOver = false;
  /** Looks since it said something. */
  #looks = 0;
  #reported: PromiseWithResolvers<void> | undefined;

  /** Starts it. @param ask told what it asks */
  constructor(
    { program, args }: { program: string; args: readonly string[] },
    { setup, ask }: {
      setup: WorkerSetup;
      ask: (worker: WorkerProcess, id: number, question: Asked) => void;
    },
  ) {
    this.#ask = (id, question) => ask(this, id, question);
    this.#child = spawn(program, [...args], {
      env: { ...Deno.env.toObject(), [SETUP_VARIABLE]: JSON.stringify(setup) },
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    this.#child.stdin!.on("error", () => {}); // it is gone, which is told by its end
    this.#child.on("message", (message) => this.#accept(message as WorkerMessage));
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("exit", (code, signal) => {
      this.#end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    });
  }

  /** Its number. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it takes connections. */
  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  /** Whether it has said nothing for some seconds: it is stopped, or computes. */
  get isSilent(): boolean {
    return this.#looks >= SILENT_LOOKS;
  }

  /** Called once a second: ends it if it says nothing for a minute, as nothing of what it holds comes back then. */
  look(): void {
    if (!this.isReady || ++this.#looks !== MAX_SILENT_LOOKS) return;
    log.error("worker {pid} said nothing for {seconds} s", {
      pid: this.pid,
      seconds: MAX_SILENT_LOOKS,
    });
    this.#child.kill("SIGKILL");
  }

  /** Resolves when it takes connections. Rejects if it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when it is gone, and tells how it ended. */
  get over(): Promise<string> {
    return this.#over.promise;
  }

  /** Tells it something. What it is told while it ends is lost. */
  send(message: FrontMessage): void {
    if (!this.#isOver) this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Gives it a connection. Rejects if it cannot be reached: the connection is still ours then. */
  give(socket: Socket): Promise<void> {
    this.connections++;
    return new Promise((resolve, reject) => {
      if (this.#isOver || !this.#child.connected) {
        return reject(new PipelineError("Cannot give a connection to a worker that is gone"));
      }
      this.#child.send("connection", socket, (error) => error ? reject(error) : resolve());
    });
  }

  /** Asks it for a report, and waits for a short while. */
  async update(): Promise<void> {
    if (!this.isReady || this.isSilent) return;
    if (this.#reported === undefined) {
      this.#reported = Promise.withResolvers<void>();
      this.send({ type: "report" });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, REPORT_MS);
    await Promise.race([promise, this.#reported.promise, this.over]);
    clearTimeout(timer);
  }

  /** Ends it; without a word if it takes too long. */
  async close(): Promise<void> {
    this.send({ type: "close" });
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS);
    await this.over;
    clearTimeout(timer);
  }

  #accept(message: WorkerMessage): void {
    this.#looks = 0;
    switch (message.type) {
      case "ready":
        this.#isReady = true;
        return this.#ready.resolve();
      case "ask":
        return this.#ask(message.id, message.question);
      case "release":
        this.admissions.get(message.id)?.release();
        this.admissions.delete(message.id);
        return;
      case "connections":
        this.connections = message.count;
        return;
      case "report":
        this.report = message.report;
        this.#reported?.resolve();
        this.#reported = undefined;
    }
  }

  #end(how: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { release } of this.admissions.values()) release();
    this.admissions.clear();
    this.#ready.promise.catch(() => {}); // nobody waits for one that is started again
    this.#ready.reject(new PipelineError(`Worker ${how}`));
    this.#over.resolve(how);
  }
}

const log = loggerFor("server", "workers");

type Asked = Extract<WorkerMessage, { type: "ask" }>["question"];

import { pathToFileURL } from "node:url";
import type { SandboxError } from "../../../core/errors.ts";
import { type Logger, loggerFor } from "../../../core/log.ts";
import type { NodeSpec } from "../../../core/executor.ts";
import type { HostSegment } from "../_host_segment.ts";
import type { CompleteLimits } from "../limits.ts";
import type { GuestMessage, HostMessage, Operation, Outcome } from "../protocol.ts";
import { errorOf, failureOf } from "../failure.ts";
import { localizeFailure } from "../localize_failure.ts";
import type { Bundle } from "../../../packaging/bundle.ts";
import { writeBundle } from "./write_bundle.ts";
import type { SandboxProcess } from "./sandbox_process.ts";

/** The most operations, and calls of callbacks, that may be under way at once. */
const MAX_OPERATIONS = 10_000;

/** With so many bytes waiting to be written to a process, those who can wait should. */
const MAX_WAITING_BYTES = 16 << 20;

/** Calls a function of the caller by its number. */
export type CallBack = (callback: number, args: Uint8Array) => Promise<Outcome>;

/** How a module is loaded into a process. */
export interface LoadOptions {
  /** What it may use from now on. */
  limits: CompleteLimits;
  /** Where what it writes to its console goes. @default `["remotemedia", "sandbox", "guest"]` */
  log?: Logger;
  /** What the bundle's module is written in. @default "js" */
  language?: "js" | "ts";
  /** Answers the calls of callbacks. @default refuses them */
  callBack?: CallBack;
  /** Told the CPU time that the process took, in ms, as it goes on. */
  onCpu?: (ms: number) => void;
  /** Awaited after answers and calls of callbacks, if it gives a promise, before more is read of the process. */
  room?: () => Promise<void> | undefined;
}

/** A module that runs in its own process: segments and objects of it. */
export class Sandbox implements AsyncDisposable {
  /** The names that the module exports. */
  exports: readonly string[] = [];
  readonly #process: SandboxProcess;
  readonly #bundle: Bundle;
  readonly #log: Logger;
  readonly #callBack: CallBack | undefined;
  readonly #room: (() => Promise<void> | undefined) | undefined;
  readonly #segments = new Map<number, HostSegment>();
  readonly #operations = new Map<number, PromiseWithResolvers<Outcome>>();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #onEnd: ((error: SandboxError) => void)[] = [];
  #isLoaded = false;
  #nextSegment = 1;
  #nextOperation = 1;
  /** Calls of callbacks whose answers the guest has not read yet. */
  #callBacks = 0;

  private constructor(
    process: SandboxProcess,
    bundle: Bundle,
    { log, callBack, room }: LoadOptions,
  ) {
    this.#process = process;
    this.#bundle = bundle;
    this.#log = log ?? loggerFor("sandbox", "guest");
    this.#callBack = callBack;
    this.#room = room;
  }

  /**
   * Loads a bundle, made here or opened and found right, into a waiting process. On failure the process is ended.
   *
   * @throws {SandboxError} if the process ends
   * @throws whatever the module throws
   */
  static async load(
    process: SandboxProcess,
    bundle: Bundle,
    options: LoadOptions,
  ): Promise<Sandbox> {
    const sandbox = new Sandbox(process, bundle, options);
    try {
      process.adopt({
        accept: (message) => sandbox.#accept(message),
        ended: (error) => sandbox.#ended(error),
        used: options.onCpu,
      }, options.limits);
      const path = await writeBundle(bundle, {
        folder: process.folder.bundle,
        language: options.language,
      });
      process.send({
        type: "load",
        module: pathToFileURL(path).href,
        files: [...bundle.files.keys()],
        usesProcess: /["'](node:)?process["']/.test(bundle.code),
      });
      await sandbox.#loaded.promise;
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
    return sandbox;
  }

  /** The process' number, for those who watch it from outside. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Calls back when the process ends, whatever for. */
  onEnd(callback: (error: SandboxError) => void): void {
    if (this.#process.endError !== undefined) callback(this.#process.endError);
    else this.#onEnd.push(callback);
  }

  /** Runs nodes that the module exports. The segment sends its messages through `send` of the process. */
  attach(segment: HostSegment, nodes: NodeSpec[], states?: Map<string, unknown>): number {
    const id = this.#nextSegment++;
    this.#segments.set(id, segment);
    this.#process.send({ type: "open", segment: id, nodes, states });
    return id;
  }

  /** Forgets a segment that is over. */
  detach(id: number): void {
    this.#segments.delete(id);
  }

  /** The wire for the messages of segments. */
  get wire(): SandboxProcess["link"] {
    return this.#process.link;
  }

  /** Resolves when the process has read what was sent to it, where that is much; `undefined` where it is not. */
  get room(): Promise<void> | undefined {
    const { link } = this.#process;
    return link.waitingBytes > MAX_WAITING_BYTES ? link.flushed() : undefined;
  }

  /** Ends the process as its guest does not do what it should in time. */
  abandon(what: string): void {
    this.#process.kill("wall-time", what);
  }

  /**
   * Does one thing to the module or one of its objects.
   *
   * @throws {SandboxError} if the process ends meanwhile, or too much is under way
   */
  operate(operation: Operation): Promise<Outcome> {
    if (this.#process.endError !== undefined) return Promise.reject(this.#process.endError);
    if (this.#operations.size >= MAX_OPERATIONS) {
      return Promise.reject(
        new RangeError(`Cannot call sandbox as ${MAX_OPERATIONS} calls are under way`),
      );
    }
    const id = this.#nextOperation++;
    const done = Promise.withResolvers<Outcome>();
    try {
      this.#process.send({ type: "operate", id, operation });
    } catch (error) {
      return Promise.reject(error); // it is larger than one message may be
    }
    this.#operations.set(id, done);
    return done.promise;
  }

  /** Ends the process. Resolves when nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("crash", "was closed");
    await this.#process.over;
  }

  #accept(message: GuestMessage): Promise<void> | void {
    switch (message.type) {
      case "ready":
        throw new Error("it was ready before");
      case "loaded":
        if (this.#isLoaded) throw new Error("it was loaded before");
        this.#isLoaded = true;
        this.exports = message.exports;
        return this.#loaded.resolve();
      case "not-loaded":
        return this.#loaded.reject(errorOf(localizeFailure(message.failure, this.#bundle)));
      case "opened":
      case "outputs":
      case "credit":
      case "interrupted":
      case "ended":
      case "failed":
      case "stats":
        return this.#toSegment(message);
      case "operated": {
        const operation = this.#operations.get(message.id);
        if (operation === undefined) throw new Error("an answer is to no question");
        this.#operations.delete(message.id);
        const { outcome } = message;
        operation.resolve(
          outcome.kind === "failed"
            ? { kind: "failed", failure: localizeFailure(outcome.failure, this.#bundle) }
            : outcome,
        );
        return this.#room?.();
      }
      case "call-back":
        if (this.#callBacks >= MAX_OPERATIONS) throw new Error("it calls back too often at once");
        void this.#answer(message.id, message);
        return this.#room?.();
      case "log":
        return this.#record(message);
    }
  }

  #toSegment(message: GuestMessage & { segment: number }): Promise<void> | void {
    const { segment } = message;
    if (message.type === "failed") message.failure = localizeFailure(message.failure, this.#bundle);
    if (segment === 0 || segment >= this.#nextSegment) throw new Error("a segment is none");
    return this.#segments.get(segment)?.accept(message); // what comes for one that is over is void
  }

  /** A call counts until the guest has read its answer. Never fails: the guest is told. */
  async #answer(id: number, call: { callback: number; args: Uint8Array }): Promise<void> {
    this.#callBacks++;
    try {
      if (this.#callBack === undefined) throw new Error("there is nobody to call back");
      const outcome = await this.#callBack(call.callback, call.args.slice());
      this.#process.send({ type: "called-back", id, outcome } satisfies HostMessage);
    } catch (error) {
      const outcome: Outcome = { kind: "failed", failure: failureOf(error) };
      this.#process.send({ type: "called-back", id, outcome } satisfies HostMessage);
    }
    await this.#process.link.flushed();
    this.#callBacks--;
  }

  #record({ level, text, dropped }: GuestMessage & { type: "log" }): void {
    if (dropped > 0) this.#log.warn("{dropped} lines were dropped", { dropped });
    this.#log[level]("{text}", { text });
  }

  #ended(error: SandboxError): void {
    this.#loaded.reject(error);
    this.#loaded.promise.catch(() => {}); // told by load(), if it still waits
    for (const segment of this.#segments.values()) segment.lost(error);
    for (const operation of this.#operations.values()) operation.reject(error);
    this.#operations.clear();
    for (const callback of this.#onEnd) callback(error);
  }
}

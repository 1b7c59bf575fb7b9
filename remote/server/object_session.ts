import { RemoteError, SandboxError, SerializationError } from "../../core/errors.ts";
import type { CallerUsage } from "./usage.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import type { Sandbox } from "../sandbox/host/sandbox.ts";
import { failureOf } from "../sandbox/failure.ts";
import { checkOperation } from "../sandbox/check_operation.ts";
import type { GuestMessage, HostMessage, Outcome } from "../sandbox/protocol.ts";
import type { SandboxHost, SandboxPolicy } from "../sandbox/host/sandbox_host.ts";

/** gRPC's UNAVAILABLE. */
const UNAVAILABLE = 14;

/** CPU time is counted in steps of so much, in ms. */
const COUNTED_MS = 100;

/** Sends a message to the client that is connected. */
export type Say = (message: GuestMessage) => void;

/** The client that is connected. */
export interface Client {
  /** Sends a message to it. */
  say: Say;
  /** Ends its connection. */
  fail(error: Error): void;
  /** Resolves when it has taken what was sent to it, where that is much; `undefined` where it is not. */
  room(): Promise<void> | undefined;
}

/**
 * A module that a client uses. It outlives the client's connections; the sandbox's limit of idle time ends it
 * when nobody comes back.
 */
export class ObjectSession implements AsyncDisposable {
  #sandbox: Sandbox | undefined;
  readonly #gone: () => void;
  readonly #usage: CallerUsage;
  /** CPU time that was not yet counted, in ms. */
  #cpuMs = 0;
  #client: Client | undefined;
  readonly #calls = new Map<number, (outcome: Outcome) => void>();
  #nextCall = 1;

  /** @param options what its owner uses, and what is called when it ended */
  constructor({ usage, gone }: { usage: CallerUsage; gone: () => void }) {
    this.#usage = usage;
    this.#gone = gone;
  }

  /** The names that the module exports. */
  get exports(): string[] {
    return [...this.#sandbox?.exports ?? []];
  }

  /** Loads the module. @throws what the sandbox or the module throws */
  async load(
    bundle: Bundle,
    { sandboxes, policy }: { sandboxes: SandboxHost; policy: SandboxPolicy },
  ): Promise<void> {
    try {
      this.#sandbox = await sandboxes.load(bundle, {
        policy,
        callBack: (callback, args) => this.#callBack(callback, args),
        room: () => this.#client?.room(),
        onCpu: (ms) => void this.#count(ms),
      });
    } catch (error) {
      this.#gone();
      throw error;
    }
    this.#sandbox.onEnd((error) => {
      this.#gone();
      this.#client?.fail(error);
    });
  }

  /** Resolves when the sandbox has read what was sent to it, where that is much; `undefined` where it is not. */
  get room(): Promise<void> | undefined {
    return this.#sandbox?.room;
  }

  /** A client is connected: the one before it, if there is one, no longer is. */
  attach(client: Client): void {
    this.#client = client;
  }

  /** A client is gone. Calls of its functions fail. */
  detach(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    for (const answer of this.#calls.values()) answer(lost);
    this.#calls.clear();
  }

  /** A message of the client. @throws {SerializationError} if it is not for the server to take */
  accept(message: HostMessage, say: Say): void {
    if (message.type === "operate") void this.#operate(message.id, message.operation, say);
    else if (message.type === "called-back") {
      this.#calls.get(message.id)?.(message.outcome);
      this.#calls.delete(message.id);
    } else throw new SerializationError(`Cannot take message ${message.type} of a client`);
  }

  /** Ends the sandbox. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone();
    await this.#sandbox?.[Symbol.asyncDispose]();
  }

  /** Counts CPU time for the caller's quota; past it, the module ends. */
  async #count(ms: number): Promise<void> {
    this.#cpuMs += ms;
    if (this.#cpuMs < COUNTED_MS) return;
    const counted = this.#cpuMs;
    this.#cpuMs = 0;
    try {
      await this.#usage.addCpu(counted);
    } catch (error) {
      this.#client?.fail(error as Error);
      await this[Symbol.asyncDispose]();
    }
  }

  async #operate(
    id: number,
    operation: (HostMessage & { type: "operate" })["operation"],
    say: Say,
  ): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#sandbox!.operate(checkOperation(operation));
    } catch (error) {
      if (error instanceof SandboxError) return; // the connection ends with it
      outcome = { kind: "failed", failure: failureOf(error) };
    }
    say({ type: "operated", id, outcome });
  }

  #callBack(callback: number, args: Uint8Array): Promise<Outcome> {
    const client = this.#client;
    if (client === undefined) return Promise.resolve(lost);
    const id = this.#nextCall++;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#calls.set(id, resolve);
    client.say({ type: "call-back", id, callback, args });
    return promise;
  }
}

const lost: Outcome = {
  kind: "failed",
  failure: failureOf(new RemoteError("The caller is not connected", { code: UNAVAILABLE })),
};

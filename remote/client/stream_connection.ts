import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import type { FailedCall } from "../wire/errors.ts";

/** A `Stream` call; messages are bytes, as their hot kinds are read and written by hand. */
export type StreamCall = ClientDuplexStream<Uint8Array, Uint8Array>;

/** What a connection tells. */
export interface ConnectionEvents {
  /** A message has come. */
  message(bytes: Uint8Array): void;
  /** All that was sent has been taken. */
  idle(): void;
  /** It is over, and all messages are told; `undefined` if it ended well. */
  end(failure: FailedCall | undefined): void;
}

/** One `Stream` call of a session, which may have several in the course of its life. */
export class StreamConnection {
  readonly #call: StreamCall;
  readonly #events: ConnectionEvents;
  #writes = 0;
  #status: StatusObject | undefined;
  #readAll = false;
  #over = false;

  constructor(call: StreamCall, events: ConnectionEvents) {
    this.#call = call;
    this.#events = events;
    call.on("data", (bytes: Uint8Array) => {
      if (!this.#over) events.message(bytes);
    });
    call.on("error", () => {}); // told by its status
    call.on("status", (status: StatusObject) => {
      this.#status = status;
      this.#end();
    });
    call.on("end", () => {
      this.#readAll = true;
      this.#end();
    });
  }

  /** Whether something sent has not been taken yet. */
  get busy(): boolean {
    return this.#writes > 0;
  }

  /** Sends a message. */
  send(message: Uint8Array): void {
    this.#writes++;
    this.#call.write(message, () => {
      this.#writes--;
      if (this.#writes === 0 && !this.#over) this.#events.idle();
    });
  }

  /** Stops or goes on reading. */
  setReading(reading: boolean): void {
    if (reading) this.#call.resume();
    else this.#call.pause();
  }

  /** The server has said that it is over: nothing is told any more. */
  finish(): void {
    this.#over = true;
    this.#call.resume();
    this.#call.end();
  }

  /** Ends it; nothing is told any more. */
  cancel(): void {
    this.#over = true;
    this.#call.resume();
    this.#call.cancel();
  }

  #end(): void {
    if (this.#over || this.#status === undefined || !this.#readAll) return;
    this.#over = true;
    const { code, details, metadata } = this.#status;
    this.#call.end();
    this.#events.end(code === 0 ? undefined : { code, details, metadata });
  }
}

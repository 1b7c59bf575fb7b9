// with its version, for `deno publish` does not look in here
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { messageOf } from "../../../core/errors.ts";
import type { WebSocketConnectOptions } from "./options.ts";

/** A message as it came: text, or bytes. */
export type WebSocketMessage = string | Uint8Array;

/** Codes of a socket that was closed because all is said (RFC 6455, section 7.4.1). */
const goodCodes = new Set([1000, 1001, 1005]);

/** A message may begin with U+FEFF, which is no byte order mark there. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Messages that wait to be read before the socket is read no further. */
const HELD = 16;

/** The library, which reads variables of the environment at once: loaded when first used. */
function loadWs(): Promise<typeof import("ws")> {
  return import("ws");
}

/**
 * A WebSocket with backpressure both ways: it is read no further while messages wait, and a message counts as
 * sent when the system has taken it. Holds `HELD` messages and those of one read of the socket, 64 KiB.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #url: string;
  readonly #messages: WebSocketMessage[] = [];
  #failure: Error | undefined;
  #ended = false;
  #discards = false;
  #changed = Promise.withResolvers<void>();

  private constructor(url: string, socket: WebSocket) {
    this.#url = url;
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data: Uint8Array, isBinary: boolean) => {
      if (this.#discards) return;
      this.#messages.push(isBinary ? new Uint8Array(data) : utf8.decode(data));
      if (this.#messages.length >= HELD) socket.pause();
      this.#tell();
    });
    socket.on("error", (error) => {
      this.#failure ??= error;
    });
    socket.on("close", (code: number, reason: Uint8Array) => {
      if (!goodCodes.has(code)) {
        const told = new TextDecoder().decode(reason);
        this.#failure ??= new Error(
          `it was closed with code ${code}${told === "" ? "" : ` "${told}"`}`,
        );
      }
      this.#ended = true;
      this.#tell();
    });
  }

  /** Connects. @throws {Error} that names the URL, if it cannot within `timeoutMs` */
  static async open(
    url: string,
    options: WebSocketConnectOptions & { maxMessageBytes: number },
    signal: AbortSignal,
  ): Promise<Connection> {
    const { protocols, headers, timeoutMs, maxMessageBytes } = options;
    signal.throwIfAborted();
    const { WebSocket } = await loadWs();
    signal.throwIfAborted();
    const socket = new WebSocket(url, protocols, {
      headers,
      handshakeTimeout: timeoutMs,
      maxPayload: maxMessageBytes,
    });
    const connection = new Connection(url, socket);
    const abort = () => socket.terminate();
    signal.addEventListener("abort", abort);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.on("open", () => resolve());
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("it was closed at once")));
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(`Cannot connect to ${url} as ${messageOf(cause)}`, { cause });
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return connection;
  }

  /** The next message; `undefined` once it was closed because all is said. @throws {Error} if it broke */
  async receive(): Promise<WebSocketMessage | undefined> {
    while (this.#messages.length === 0) {
      if (this.#ended) return this.#end();
      await this.#changed.promise;
    }
    const message = this.#messages.shift();
    if (this.#messages.length < HELD / 2) this.#socket.resume();
    return message;
  }

  /** From now on, what is received is dropped. */
  discardReceived(): void {
    this.#discards = true;
    this.#messages.length = 0;
    this.#socket.resume();
  }

  /** Sends a message. Resolves when the system has taken it. @throws {Error} if the socket is not open */
  async send(message: WebSocketMessage): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#socket.send(message, (error) => error ? reject(error) : resolve());
      });
    } catch (cause) {
      const reason = messageOf(this.#failure ?? cause);
      throw new Error(`Cannot send to ${this.#url} as ${reason}`, { cause });
    }
  }

  /** Says good-bye, and waits for the other side to, for `timeoutMs` at the most. */
  async close(timeoutMs: number): Promise<void> {
    this.#socket.close(1000);
    this.#socket.resume();
    const timer = setTimeout(() => this.terminate(), timeoutMs);
    while (!this.#ended) await this.#changed.promise;
    clearTimeout(timer);
    if (this.#failure !== undefined) this.#end();
  }

  /** Ends it at once; what waits is dropped. */
  terminate(): void {
    this.#messages.length = 0;
    this.#socket.terminate();
  }

  #end(): undefined {
    if (this.#failure === undefined) return undefined;
    const message = `The connection to ${this.#url} broke: ${this.#failure.message}`;
    throw new Error(message, { cause: this.#failure });
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

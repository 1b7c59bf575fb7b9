import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { Sleeper } from "../data/_sleeper.ts";
import { bytesIn } from "./http/body.ts";
import { Connection, type WebSocketMessage } from "./web_socket/connection.ts";
import {
  connectFields,
  isWebSocketUrl,
  type WebSocketConnectOptions,
} from "./web_socket/options.ts";

const schema = z.strictObject({
  url: z.string().refine(isWebSocketUrl, "must be a ws or wss URL").describe("Where messages go")
    .meta({ examples: ["wss://example.com/words"] }),
  ...connectFields,
});

/** Options of {@linkcode WebSocketSink}. */
export interface WebSocketSinkOptions extends WebSocketConnectOptions {
  /** Where messages go: a `ws` or `wss` URL. */
  url: string;
}

/** What is received is not read; a sender of long messages breaks the connection. */
const MAX_RECEIVED_BYTES = 65_536;

/**
 * Sends each chunk as a message of a WebSocket, text and bytes as they are, anything else as JSON, and gives it
 * on once the system has taken it. A slow receiver so holds up the stream. Connects when the stream
 * begins, closes the socket properly at its end.
 *
 * A connection that fails or breaks is made again up to `reconnects` times, and the chunk under way sent again;
 * what the other side had not read by then is lost. Messages that come back are dropped. Throws an `Error`
 * that names the URL and what failed. It reaches any host that this process can: a server offers it only where
 * its policy says so.
 *
 * @example
 * ```ts
 * import { WebSocketSink } from "@remotemedia/sdk/nodes";
 *
 * const server = Deno.serve({ port: 0, onListen() {} }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   socket.onmessage = ({ data }) => console.log(data); // hello
 *   return response;
 * });
 * const sink = new WebSocketSink({ url: `ws://localhost:${server.addr.port}` });
 * await Array.fromAsync(ReadableStream.from(["hello"]).pipeThrough(sink));
 * await server.shutdown();
 * ```
 */
export class WebSocketSink<T = unknown> extends Node<
  T,
  T,
  WebSocketSinkOptions,
  Partial<WebSocketSinkOptions> & Pick<WebSocketSinkOptions, "url">
> {
  /** The name of the type. */
  static override readonly type = "WebSocketSink";
  /** Checks the options. */
  static override readonly options: z.ZodType<WebSocketSinkOptions> = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["net"];
  readonly #sleeper = new Sleeper();
  #context: NodeContext | undefined;
  #connection: Connection | undefined;
  #failures = 0;
  /** One chunk is sent after another, also where several are worked on. */
  #turn: Promise<void> = Promise.resolve();

  /** Connects. */
  override async open(context: NodeContext): Promise<void> {
    this.#context = context;
    context.signal.addEventListener("abort", () => {
      this.#connection?.terminate();
      this.#sleeper.wakeAll();
    });
    await this.#retry(() => Promise.resolve());
  }

  /** Gives the chunk once it is sent. */
  async process(input: T): Promise<T> {
    const message = encode(input);
    const turn = this.#turn.then(() => this.#retry((connection) => connection.send(message)));
    this.#turn = turn.catch(() => {}); // whoever gave the chunk is told
    await turn;
    return input;
  }

  /** Closes the socket properly. */
  override async flush(): Promise<void> {
    await this.#connection?.close(this.options.timeoutMs);
    this.#connection = undefined;
  }

  /** Ends the socket if it is still open. */
  override close(): void {
    this.#connection?.terminate();
  }

  /** Does something with a connection, a new one where it fails, as often as is allowed. */
  async #retry(work: (connection: Connection) => Promise<void>): Promise<void> {
    const { signal, log } = this.#context!;
    while (true) {
      try {
        this.#connection ??= await Connection.open(this.options.url, {
          ...this.options,
          maxMessageBytes: MAX_RECEIVED_BYTES,
        }, signal);
        this.#connection.discardReceived();
        return await work(this.#connection);
      } catch (error) {
        signal.throwIfAborted();
        this.#connection?.terminate();
        this.#connection = undefined;
        if (++this.#failures > this.options.reconnects) throw error;
        log.warn("{message}: connecting again", { message: messageOf(error) });
        await this.#sleeper.sleep(this.options.reconnectDelayMs);
        signal.throwIfAborted();
      }
    }
  }
}

function encode(chunk: unknown): WebSocketMessage {
  const message = typeof chunk === "string" ? chunk : bytesIn(chunk);
  if (message !== undefined) return message;
  const text = JSON.stringify(chunk);
  if (text === undefined) throw new TypeError(`Cannot send a ${typeof chunk} as message`);
  return text;
}

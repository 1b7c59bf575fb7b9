import { z } from "zod";
import { messageOf, SerializationError } from "../../core/errors.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { kindOf } from "../data/_chunk_kind.ts";
import { Sleeper } from "../data/_sleeper.ts";
import { Connection, type WebSocketMessage } from "./web_socket/connection.ts";
import {
  connectFields,
  isWebSocketUrl,
  type WebSocketConnectOptions,
} from "./web_socket/options.ts";

export type { WebSocketConnectOptions };

const schema = z.strictObject({
  ...connectFields,
  json: z.boolean().default(false).describe("Whether a text is read as JSON"),
  maxMessageBytes: z.int().min(1).default(16 * 2 ** 20)
    .describe("The longest message, in bytes; a longer one breaks the connection"),
});

/** Options of {@linkcode WebSocketSource}. */
export interface WebSocketSourceOptions extends WebSocketConnectOptions {
  /** Whether a text is read as JSON. @default false */
  json: boolean;
  /** The longest message, in bytes; a longer one breaks the connection. @default 16 MiB */
  maxMessageBytes: number;
}

/**
 * Takes the URLs of WebSockets, one after another, and gives the messages of each until the other side closes
 * it: texts, or JSON values, and bytes. While nobody reads, the socket is read no further, so that the
 * sender is held up; at most 16 messages, and those of one read of the socket, wait here.
 *
 * A connection that fails or breaks is made again up to `reconnects` times; messages sent meanwhile are lost.
 * An interrupt ends the socket under way: run the source in a pipeline of its own where it is to outlive
 * interrupts. Throws an `Error` that names the URL and what failed. It reaches any host that this process can:
 * a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { WebSocketSource } from "@remotemedia/sdk/nodes";
 *
 * const server = Deno.serve({ port: 0, onListen() {} }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   socket.onopen = () => {
 *     socket.send('{"n":1}');
 *     socket.close();
 *   };
 *   return response;
 * });
 * const urls = ReadableStream.from([`ws://localhost:${server.addr.port}`]);
 * console.log(await Array.fromAsync(urls.pipeThrough(new WebSocketSource({ json: true })))); // [{ n: 1 }]
 * await server.shutdown();
 * ```
 */
export class WebSocketSource extends Node<string, unknown, WebSocketSourceOptions> {
  /** The name of the type. */
  static override readonly type = "WebSocketSource";
  /** Checks the options. */
  static override readonly options: z.ZodType<WebSocketSourceOptions> = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["net"];
  readonly #sleeper = new Sleeper();
  #context: NodeContext | undefined;
  #running: AbortController | undefined;

  /** Keeps the log, and ends the socket when the stream ends early. */
  override open(context: NodeContext): void {
    this.#context = context;
    context.signal.addEventListener("abort", () => this.onInterrupt());
  }

  /** Gives the messages of the socket at a URL. */
  async *process(url: string): AsyncGenerator<unknown> {
    if (!isWebSocketUrl(url)) {
      const found = typeof url === "string" ? `"${url}"` : kindOf(url);
      throw new TypeError(`WebSocketSource takes ws and wss URLs: it was given ${found}`);
    }
    const running = this.#running = new AbortController();
    for (let tries = 0;; tries++) {
      try {
        yield* this.#messagesOf(url, running.signal);
        return;
      } catch (error) {
        if (running.signal.aborted) return;
        if (error instanceof SerializationError || tries >= this.options.reconnects) throw error;
        this.#context?.log.warn("{message}: connecting again", { message: messageOf(error) });
        await this.#sleeper.sleep(this.options.reconnectDelayMs);
        if (running.signal.aborted) return;
      }
    }
  }

  /** Ends the socket under way. */
  override onInterrupt(): void {
    this.#running?.abort();
    this.#sleeper.wakeAll();
  }

  async *#messagesOf(url: string, signal: AbortSignal): AsyncGenerator<unknown> {
    const connection = await Connection.open(url, this.options, signal);
    const end = () => connection.terminate();
    signal.addEventListener("abort", end);
    if (signal.aborted) end(); // since it was opened
    try {
      while (true) {
        const message = await connection.receive();
        if (message === undefined) return;
        yield this.#read(message);
      }
    } finally {
      signal.removeEventListener("abort", end);
      connection.terminate();
    }
  }

  #read(message: WebSocketMessage): unknown {
    if (!this.options.json || typeof message !== "string") return message;
    try {
      return JSON.parse(message);
    } catch (cause) {
      throw new SerializationError(`A message is no JSON: ${messageOf(cause)}`, { cause });
    }
  }
}
